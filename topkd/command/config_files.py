"""Configs as files: what they are called, where they read data, and how a new one is put in its place."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SPLITS = ('train', 'val', 'test')


def stem(config: str) -> str:
    """Return the name of a config, ``resnet18_8xb16_cifar10`` of ``mmpretrain::resnet/resnet18_8xb16_cifar10.py``.

    Example:
        >>> stem('mmpretrain::resnet/resnet18_8xb16_cifar10.py')
        'resnet18_8xb16_cifar10'
    """
    return Path(config.rsplit('::', 1)[-1]).stem


def named_from(config: str, folder: Path) -> str:
    """Name a config so that another one in ``folder`` finds it."""
    return config if '::' in config else os.path.relpath(config, folder)


def data_roots(node: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """List the paths of all ``data_root`` entries below a node of a config, without that last word.

    Example:
        >>> data_roots(dict(dataset=dict(type='Repeat', dataset=dict(data_root='data/'))))
        [('dataset', 'dataset')]
    """
    if not isinstance(node, dict):
        return []
    own = [path] if 'data_root' in node else []
    return own + [found for key, value in node.items() for found in data_roots(value, (*path, key))]


def nested(path: Sequence[str], inner: str) -> str:
    """Write nested dicts around the arguments of the inner one.

    Example:
        >>> nested(('dataset', 'dataset'), 'data_root=None')
        'dataset=dict(dataset=dict(data_root=None))'
    """
    for key in reversed(path):
        inner = f'{key}=dict({inner})'
    return inner


@contextmanager
def written_file(out: Path, written: str, force: bool) -> Iterator[Path]:
    """Write a config beside its destination, and put it in place if the ``with`` block finds that it works.

    Args:
        out (Path): Destination.
        written (str): The config.
        force (bool): Whether a file that is there is written over.

    Raises:
        ValueError: If there is a file.
    """
    if out.exists() and not force:
        raise ValueError(f"'{out}' exists: name another file by --out, or write over it with --force")
    out.parent.mkdir(parents=True, exist_ok=True)
    candidate = out.with_name(f'{out.stem}_candidate.py')
    try:
        candidate.write_text(written, encoding='utf-8')
        yield candidate
        candidate.replace(out)
    finally:
        candidate.unlink(missing_ok=True)
