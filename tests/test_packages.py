"""The README's table of packages: it lists all of them, in an order in which each imports from those before it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {path.parent.name for path in (ROOT / 'topkd').glob('*/__init__.py')}


def listed() -> list[str]:
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    table = readme.split('| `topkd/` | holds |')[1].split('\n\n')[0]
    return [name for row in table.splitlines()[2:] for name in re.findall(r'`(\w+)/`', row.split('|')[1])]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.ImportFrom):
            yield from (f'{node.module}.{alias.name}' for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def packages_behind(package: str) -> set[str]:
    names = [name.split('.') for path in (ROOT / 'topkd' / package).rglob('*.py') for name in imported(path)]
    return {parts[1] for parts in names if parts[0] == 'topkd' and parts[1] in PACKAGES} - {package}


def test_readme_lists_every_package_once():
    assert sorted(listed()) == sorted(PACKAGES)


def test_packages_import_from_those_before_them():
    order = listed()
    for place, package in enumerate(order):
        assert packages_behind(package) <= set(order[:place]), package
    assert packages_behind('hooks') >= {'models', 'graphs', 'analysis'}
