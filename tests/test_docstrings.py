"""Docstrings are written in one way, as far as ruff's pydocstyle rules do not see to it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted([*ROOT.glob('topkd/**/*.py'), *ROOT.glob('tools/**/*.py')])
ENTRY = {
    # '    name (type): What it is.'
    'Args': re.compile(r'\*{0,2}\w+(, \w+)* \(.+?\): \S'),
    'Attributes': re.compile(r'\*{0,2}\w+(, \w+)* \(.+?\): \S'),
    # '    ValueError: If the shapes differ.', or '    FloatingPointError: Naming the terms that are not finite.'
    'Raises': re.compile(r'\w+: (If|Naming)\b'),
}


def entries(docstring: str) -> Iterator[tuple[str, str]]:
    """Yield section and first line of every argument, attribute and error."""
    section = ''
    for line in docstring.splitlines():
        heading = re.fullmatch(r'(\w+)(?: \(.*\))?:', line)
        if line.strip() and not line.startswith(' '):
            section = heading[1] if heading else ''
        elif section in ENTRY and re.match(r' {4}\S', line):
            yield section, line.strip()


@pytest.mark.parametrize('path', FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sections(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            for section, line in entries(ast.get_docstring(node) or ''):
                assert ENTRY[section].match(line), f'{node.name}, {section}: {line}'


def test_entries_are_found():
    text = 'Do it.\n\nArgs:\n    x (int): A number, and\n        more.\n\nRaises (in training):\n    KeyError: Never.'
    assert list(entries(text)) == [('Args', 'x (int): A number, and'), ('Raises', 'KeyError: Never.')]
    assert not ENTRY['Raises'].match('KeyError: Never.')
