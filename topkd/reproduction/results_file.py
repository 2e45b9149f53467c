"""``results.json`` of a training, as :class:`topkd.hooks.ResultHook` leaves it."""

from collections.abc import Sequence
from numbers import Real
from pathlib import Path
from typing import Any

from topkd.utils.files import read_json

NAME = 'results.json'
# pycocotools' figures are shares, the paper's are percent
PERCENT = ('coco/',)


def read_results(folder: Path, *needed: str) -> dict[str, Any]:
    """Read a training's results.

    Args:
        folder (Path): Its work directory.
        *needed (str): Entries that it must have, 'seed' or 'monitor'.

    Returns:
        dict: ``last`` and ``best`` figures, or those of ``members`` by name; what is said of all of them.

    Raises:
        FileNotFoundError: If there are none.
        ValueError: If the file is damaged.
    """
    path = folder / NAME
    content = read_json(path, *needed)
    runs = content.get('members', {'': content})
    if not isinstance(runs, dict) or not all(map(_is_whole, runs.values())):
        raise ValueError(
            f"'{path}' is damaged (it must hold the last and the best figures and their epochs): delete it, and give "
            'the command again that makes it'
        )
    return content


def results_if_any(folder: Path) -> dict[str, Any]:
    """Read a training's results as :func:`read_results` does; nothing if there are none yet."""
    return read_results(folder) if (folder / NAME).is_file() else {}


def training_figures(folder: Path, metrics: Sequence[str]) -> dict[str, Any]:
    """Read a training's figures in the units of the paper.

    Args:
        folder (Path): Its work directory.
        metrics (Sequence[str]): Those that are wanted.

    Returns:
        dict: ``last`` and ``best`` by metric, those of the ``teacher``, ``seed``, ``epochs`` and ``folder``.
    """
    results = read_results(folder, 'seed')
    values = {
        which: {metric: _scaled(metric, results[which][metric]) for metric in metrics if metric in results[which]}
        for which in ('last', 'best')
    }
    teacher = {metric: _scaled(metric, value) for metric, value in results.get('teacher', {}).items()}
    return dict(values, seed=results['seed'], epochs=results['last']['epoch'], teacher=teacher, folder=str(folder))


def _scaled(metric: str, value: float) -> float:
    return 100 * value if metric.startswith(PERCENT) else value


def _is_whole(run: Any) -> bool:
    return isinstance(run, dict) and all(_are_figures(run.get(which)) for which in ('last', 'best'))


def _are_figures(figures: Any) -> bool:
    if not isinstance(figures, dict) or not isinstance(figures.get('epoch'), int):
        return False
    return all(isinstance(value, Real) for value in figures.values())
