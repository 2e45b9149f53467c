"""The code blocks of the README and of the documents."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r'^(`{3,})([^\n`]*)\n(.*?)^\1 *$', re.MULTILINE | re.DOTALL)
NAMED = re.compile(r'# (\S+\.py)\b')


class Block(NamedTuple):
    """A fenced block of a page.

    Attributes:
        page (str): Path below the root of the repository.
        line (int): Of its first line of code.
        language (str): 'python', 'bash', 'text' and so on.
        text (str): The code.
    """

    page: str
    line: int
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """str | None: The file that it is the content of, as its first line says: ``# student.py``."""
        match = NAMED.match(self.text) if self.language == 'python' else None
        return match[1] if match else None

    @property
    def is_config(self) -> bool:
        """bool: Whether it is a config that inherits from another one, or a part of one."""
        return self.language == 'python' and '_base_' in self.text

    def __str__(self) -> str:
        return f'{self.page}, line {self.line}'


def pages() -> list[str]:
    """List the README and all documents, as paths below the root of the repository."""
    found = [ROOT / 'README.md', *sorted((ROOT / 'docs').glob('**/*.md'))]
    return [path.relative_to(ROOT).as_posix() for path in found]


def blocks(page: str, text: str | None = None) -> list[Block]:
    """Read the fenced blocks of a page.

    Args:
        page (str): Path below the root of the repository.
        text (str, optional): What is in it, if it is no file.
    """
    text = (ROOT / page).read_text(encoding='utf-8') if text is None else text
    return [
        Block(page, text.count('\n', 0, match.start()) + 2, match[2].strip(), match[3])
        for match in FENCE.finditer(text)
    ]
