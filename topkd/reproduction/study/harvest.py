"""What a finished cohort leaves of each of its runs for the ledger."""

from pathlib import Path
from typing import Any

import numpy as np

from topkd.analysis.run_history.history import history_of, read_run, read_validations
from topkd.hooks.cloud_record_hook import FILE as CLOUDS
from topkd.hooks.final_test_hook import FILE as TESTED
from topkd.reproduction.results_file import results_if_any
from topkd.reproduction.study.ledger import METRIC
from topkd.reproduction.study.run import TERM, StudyRun
from topkd.utils.files import read_json


def has_trained(folder: Path, epochs: int) -> bool:
    """Tell whether a cohort's training validated its last epoch."""
    return any(member['last']['epoch'] == epochs for member in _members(folder).values())


def has_tested(folder: Path) -> bool:
    """Tell whether a cohort was tested."""
    return (folder / TESTED).is_file()


def harvest(folder: Path, run: StudyRun, epochs: int) -> dict[str, Any]:
    """Collect a run's figures.

    Args:
        folder (Path): Work directory of the cohort.
        run (StudyRun): One of its members.
        epochs (int): Length of the training.

    Returns:
        dict: ``epochs``; ``stopped``, whether its loss was not finite at some step; ``validation`` and ``test``,
        metrics of the last epoch; ``curve``, validation top-1 by epoch; ``gradient_ratio``, its median by epoch;
        ``clouds``, see :class:`topkd.hooks.CloudRecordHook`. What was not measured is missing.
    """
    own = _members(folder).get(run.member)
    if own is None or own['last']['epoch'] != epochs:
        return dict(epochs=epochs, stopped=True)
    metrics = {key: value for key, value in own['last'].items() if key not in ('epoch', 'iter')}
    found: dict[str, Any] = dict(epochs=epochs, stopped=False, validation=metrics, curve=_curve(folder, run.member))
    if run.term is not None:
        found['gradient_ratio'] = _medians(folder, f'{run.member}/gradient_ratio_{TERM}')
    for key, name in (('clouds', CLOUDS), ('test', TESTED)):
        if (folder / name).is_file():
            found[key] = read_json(folder / name, run.member)[run.member]
    return found


def _members(folder: Path) -> dict[str, Any]:
    return results_if_any(folder).get('members', {})


def _curve(folder: Path, member: str) -> dict[str, float]:
    validations = read_validations(folder)
    return {
        str(epoch): round(metrics[f'{member}/{METRIC}'], 3)
        for epoch, metrics in sorted(validations.items())
        if f'{member}/{METRIC}' in metrics
    }


def _medians(folder: Path, key: str) -> list[float]:
    """Return the medians of a scalar by epoch."""
    history = history_of(read_run(folder), key)
    return [
        float(f'{np.median(history.values[history.epochs == epoch]):.4g}')
        for epoch in dict.fromkeys(history.epochs.tolist())
    ]
