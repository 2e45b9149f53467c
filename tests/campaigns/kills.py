"""Kill runs at every change of a file and at random moments, go on, and compare with the run that was not killed."""

import itertools
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .failpoints import Kill
from .outcome import differences, outcome
from .processes import Finished, isolated, run
from .report import Limit, Report
from .scenarios import CONFIG, SCENARIOS

MOST_KILLS = 3  # of one run: what goes on after a kill may be killed, too


class Target:
    """A scenario with what its run leaves if nobody kills it.

    Args:
        name (str): Of the scenario.
        root (Path): Empty folder for all its runs.
    """

    def __init__(self, name: str, root: Path) -> None:
        self.name, self.scenario, self.root = name, SCENARIOS[name], root
        self.template = root / 'template'
        self.template.mkdir(parents=True)
        isolated(self.scenario.write, self.template)
        self.runs = 0
        begin = time.monotonic()
        whole, finished = self.call(self.folder())
        self.seconds = time.monotonic() - begin
        if any(finished.codes):
            raise RuntimeError(f"'{name}' fails without a kill: {finished.output[-3000:]}")
        self.points, self.expected = finished.points, outcome(whole)
        self.whole = whole

    def folder(self) -> Path:
        """Make a folder for a run."""
        self.runs += 1
        folder = self.root / f'run{self.runs}'
        shutil.copytree(self.template, folder)
        return folder

    def call(self, folder: Path, kill: Kill = Kill(), again: bool = False, rank: int = 0) -> tuple[Path, Finished]:
        """Run the tool, or let it go on."""
        scenario = self.scenario
        arguments = [CONFIG, *scenario.arguments, *(scenario.again if again else ())]
        return folder, run(folder, scenario.tool, arguments, kill, scenario.ranks, rank)

    def difference(self, folder: Path) -> list[str]:
        """Compare a run's files with those of the run that was not killed."""
        return differences(self.expected, outcome(folder))


def kills_of(target: Target, generator: random.Random) -> Iterator[tuple[Kill, str]]:
    """Yield every point of a target in random order, before a write and in the middle of one, and then moments."""
    numbers = list(range(len(target.points)))
    generator.shuffle(numbers)
    for number in numbers:
        point = target.points[number]
        yield Kill(number), f'before {point}'
        if point.startswith('open'):
            yield Kill(number, size=generator.choice((0, 1, 100, 5000))), f'in {point}'
    while True:
        seconds = generator.uniform(0, target.seconds)
        yield Kill(seconds=seconds), f'after {seconds:.2f} s'


def kill_once(target: Target, kill: Kill, where: str, generator: random.Random, report: Report) -> None:
    """Kill a run, let it go on to its end, perhaps through further kills, and compare."""
    folder = target.folder()
    story = [where]
    _, finished = target.call(folder, kill, rank=generator.randrange(target.scenario.ranks))
    for _ in range(generator.randrange(MOST_KILLS)):
        if not _was_killed(finished):
            break
        report.count('kills')
        kill = Kill(generator.randrange(max(len(target.points), 1)), generator.choice((None, 100)))
        story.append(f'at change {kill.point} of the next start')
        _, finished = target.call(folder, kill, again=True, rank=generator.randrange(target.scenario.ranks))
    if _was_killed(finished):
        report.count('kills')
        _, finished = target.call(folder, again=True)
    problem = _problem(target, folder, finished)
    report.count(f'runs killed of {target.name}')
    if problem:
        report.problem(f'{target.name}, killed {", then ".join(story)}: {problem} (in {folder})')
    else:
        shutil.rmtree(folder)


def campaign(seed: int, limit: Limit, report: Report, root: Path, names: list[str] | None = None) -> None:
    """Kill runs of all scenarios in turn until the limit is reached.

    Args:
        seed (int): Of the order and of the random moments.
        limit (Limit): When it ends.
        report (Report): Receives counts and problems.
        root (Path): Empty folder.
        names (list[str], optional): Scenarios. None: all.
    """
    generator = random.Random(seed)
    pending: dict[str, Any] = {}
    for name in names or SCENARIOS:
        try:
            target = Target(name, root / name.replace(' ', '_'))
        except RuntimeError as error:
            report.problem(str(error))
            continue
        report.count(f'points of {name}', len(target.points))
        pending[name] = (target, kills_of(target, random.Random(f'{seed} {name}')))
    for target, kills in itertools.cycle(list(pending.values())):
        if not limit.another():
            break
        kill_once(target, *next(kills), generator, report)


def _was_killed(finished: Finished) -> bool:
    return any(code < 0 for code in finished.codes) and not finished.hung


def _problem(target: Target, folder: Path, finished: Finished) -> str:
    if finished.hung:
        return f'it hangs: {finished.output[-500:]}'
    if any(finished.codes):
        return f'it ends with {finished.codes}: {finished.output[-1500:]}'
    return '; '.join(target.difference(folder)[:3])
