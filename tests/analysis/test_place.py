"""Where the package stands: on topology, models, artifacts and utils; below deployment, hooks and reproduction."""

import ast
from pathlib import Path

import topkd

ROOT = Path(topkd.__file__).parent
BELOW = {'analysis', 'artifacts', 'models', 'topology', 'utils'}
ABOVE = {'analysis', 'deployment', 'hooks', 'reproduction'}


def imported(folder: Path) -> dict[str, set[str]]:
    """Return, by file, which packages of topkd it imports, inside functions too."""
    result = {}
    for path in sorted(folder.rglob('*.py')):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        names = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
        names += [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
        parts = [name.split('.') for name in names if name and name.startswith('topkd.')]
        result[str(path.relative_to(ROOT))] = {part[1] for part in parts}
    return result


def test_the_package_imports_what_stands_below_it():
    found = imported(ROOT / 'analysis')
    assert len(found) > 20
    assert {name: packages - BELOW for name, packages in found.items() if packages - BELOW} == {}


def test_only_what_stands_above_imports_the_package():
    users = {name.split('/')[0] for name, packages in imported(ROOT).items() if 'analysis' in packages}
    assert users == ABOVE


def test_numbers_are_written_and_read_without_a_plotting_library():
    for name, packages in imported(ROOT / 'analysis').items():
        source = (ROOT / name).read_text()
        draws = 'matplotlib' in source or 'analysis.style import' in source
        assert not (name.endswith('record.py') and draws), name
