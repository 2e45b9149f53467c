"""Curves of a cohort's members out of one training's files."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from topkd.analysis.run_history.history import History, history_of, read_run, read_validations

Panels = dict[str, dict[str, History]]


def member_panels(folder: str, members: Sequence[str], loss: str, metric: str | None) -> Panels:
    r"""Read total loss and a metric of every member.

    Args:
        folder (str): Work directory of a cohort's training.
        members (Sequence[str]): Names.
        loss (str): What the axis of the losses is to say.
        metric (str, optional): Of the validations, for example 'accuracy/top1'; None: losses only.

    Returns:
        dict: Histories by axis and member. A member that was stopped has shorter ones.

    Raises:
        FileNotFoundError: If the training left no log there.
        ValueError: If the log holds no training step, or is damaged.

    Example:
        >>> from pathlib import Path
        >>> log = Path('cohort/20260101_000000/vis_data/scalars.json')
        >>> log.parent.mkdir(parents=True)
        >>> lines = ['{"KD/loss": 2.0, "epoch": 1, "iter": 8, "step": 8}', '{"KD/top1": 50.0, "step": 1}']
        >>> _ = log.write_text('\n'.join(lines))
        >>> panels = member_panels('cohort', ['KD'], 'loss', 'top1')
        >>> panels['loss']['KD'].values.tolist(), panels['top1']['KD'].values.tolist()
        ([2.0], [50.0])
    """
    records = read_run(folder)
    panels = {loss: {name: history_of(records, f'{name}/loss') for name in members}}
    if metric is not None:
        length = next(iter(panels[loss].values())).epoch_length
        validations = read_validations(folder)
        panels[metric] = {name: _validated(validations, f'{name}/{metric}', length) for name in members}
    return {axis: runs for axis, runs in panels.items() if any(len(run.values) for run in runs.values())}


def histories_of(records: Sequence[dict[str, Any]], key: str, run: str) -> dict[str, History]:
    """Pick one scalar out of the records of a training, of every member if it was a cohort's.

    Args:
        records (Sequence[dict]): Of :func:`topkd.analysis.run_history.history.read_run`.
        key (str): As a distillation logs it, for example 'gradient_ratio_topology'.
        run (str): Name of the training.

    Returns:
        dict: Histories by ``run``, or by ``<run>/<member>`` of those members that logged it.

    Example:
        >>> record = {'step': 1, 'TopKD/share_topology': 0.01, 'KD/loss': 2.0}
        >>> list(histories_of([record], 'share_topology', 'cohort'))
        ['cohort/TopKD']
    """
    logged = dict.fromkeys(name for record in records for name in record)
    members = [name.removesuffix(f'/{key}') for name in logged if name.endswith(f'/{key}')]
    if not members:
        return {run: history_of(records, key)}
    return {f'{run}/{member}': history_of(records, f'{member}/{key}') for member in members}


def _validated(validations: dict[int, dict[str, float]], key: str, epoch_length: int | None) -> History:
    """Return one metric by epochs, or by steps if the training counts no epochs."""
    chosen = {when: found[key] for when, found in sorted(validations.items()) if np.isfinite(found.get(key, np.nan))}
    when = np.array(list(chosen), dtype=int)
    return History(when * (epoch_length or 1), when, np.array(list(chosen.values()), dtype=float), epoch_length)
