"""What a campaign has tried, and every difference that it found."""

import time
from collections import Counter


class Limit:
    """The end of a campaign: after a time, or after so many runs.

    Args:
        seconds (float): How long.
        runs (int, optional): How many runs; None for the time alone.
    """

    def __init__(self, seconds: float, runs: int | None = None) -> None:
        self.end, self.runs = time.monotonic() + seconds, runs

    def another(self) -> bool:
        """Tell whether there may be another run, and count it."""
        if self.runs is None:
            return time.monotonic() < self.end
        self.runs -= 1
        return self.runs >= 0


class Report:
    """Counts by name, sentences on what went wrong, and what was accepted, for a person to look through."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.accepted: list[str] = []

    def count(self, what: str, number: int = 1) -> None:
        """Add to a count."""
        self.counts[what] += number

    def problem(self, sentence: str) -> None:
        """Note, and print at once, what went wrong."""
        self.problems.append(sentence)
        print(f'PROBLEM {sentence}', flush=True)

    def __str__(self) -> str:
        lines = [f'{number:>7}  {what}' for what, number in self.counts.items()]
        return '\n'.join([*lines, f'{len(self.problems):>7}  problems'])
