"""Collect what is missing instead of stopping at the first of it."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from mmengine.config import Config

from topkd.utils.sentences import USER_ERRORS, sentence


class Findings:
    """Run checks that refuse by raising, and keep what they say.

    Args:
        cfg (Config, optional): What the checks are about, so that they can name the entries.
        made (Collection[str | Path]): Files that need not be there, because earlier jobs of a plan make them.

    Example:
        >>> findings = Findings()
        >>> findings.look(open, 'nowhere.txt')
        >>> findings.problems
        ["'nowhere.txt' does not exist: correct the path"]
    """

    def __init__(self, cfg: Config | None = None, made: Collection[str | Path] = ()) -> None:
        self.cfg = cfg
        self.made = {Path(file) for file in made}
        self.problems: list[str] = []

    def look(self, check: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Run a check.

        Args:
            check (Callable): Raises if something is missing or wrong.
            *arguments (Any): Of the check.
            **named (Any): Of the check, too.

        Returns:
            Any: What the check returns; None if it refused.
        """
        try:
            return check(*arguments, **named)
        except USER_ERRORS as error:
            words = sentence(error, self.cfg)
            if words is None:
                raise
            if words not in self.problems:
                self.problems.append(words)
            return None

    def refuse(self) -> None:
        """Raise all that was found.

        Raises:
            ValueError: If anything was.
        """
        if self.problems:
            raise ValueError(str(self))

    def __str__(self) -> str:
        if len(self.problems) < 2:
            return ''.join(self.problems)
        listed = '\n'.join(f'  {number}. {problem}' for number, problem in enumerate(self.problems, 1))
        return f'{len(self.problems)} things are missing or wrong, to be mended in this order:\n{listed}\n'
