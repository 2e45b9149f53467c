"""Apply a config of one pair to another pair, which takes the place of the one that the file is based on."""

import ast
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict

from topkd.utils.config import read_config

BASE = '_base_'


def apply_file(path: Path, pair: Config) -> Config:
    """Set on a pair what a config sets on top of its bases, in place.

    In the file's expressions ``_base_`` is the pair together with what the file names beside its own pair, such as
    ``_base_/losses/at.py``. If the file is based on ``_base_/pairs``, which have no losses, those of the pair go.

    Args:
        path (Path): A config of the repository.
        pair (Config): Complete.

    Returns:
        Config: The same ``pair``.

    Raises:
        ValueError: If the file cannot be applied to this pair.
    """
    bases, code = _parts(path)
    if any(base.parent.name == 'pairs' for base in bases):
        pair.model.losses = {}
    parts = [_read(base) for base in bases if base.parent.name == 'losses']
    beside = {key: value for part in parts for key, value in part.items()}
    scope: dict[str, Any] = {BASE: ConfigDict({**pair.to_dict(), **beside})}
    try:
        exec(code, scope)
    except (NameError, AttributeError, KeyError) as error:
        raise ValueError(f"'{path}' cannot be applied to another pair ({type(error).__name__}: {error})") from error
    pair.merge_from_dict({key: value for key, value in scope.items() if not key.startswith('_') and key not in beside})
    return pair


@lru_cache
def _parts(path: Path) -> tuple[list[Path], Any]:
    """Return the files that a config is based on, and its other lines as code."""
    tree = ast.parse(path.read_text(encoding='utf-8'), str(path))
    assigned = {id(node): node for node in tree.body if isinstance(node, ast.Assign) and _is_base(node.targets[0])}
    names = [ast.literal_eval(node.value) for node in assigned.values()]
    tree.body = [node for node in tree.body if id(node) not in assigned]
    flat = [name for value in names for name in ([value] if isinstance(value, str) else value)]
    return [(path.parent / name).resolve() for name in flat], compile(tree, str(path), 'exec')


def _is_base(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id == BASE


@lru_cache
def _read(path: Path) -> dict[str, Any]:
    return read_config(str(path)).to_dict()
