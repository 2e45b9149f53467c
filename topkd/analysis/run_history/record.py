"""The file of several trainings' logs: each scalar of each run in full and in summary."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from topkd.analysis.record_file import write_record
from topkd.analysis.run_history.history import History, summarize

Panels = Mapping[str, Mapping[str, History]]


def summaries_of(panels: Panels) -> dict[str, dict[str, dict[str, Any]]]:
    """Summarize every scalar of every run that logged it.

    Args:
        panels (Mapping): Histories by scalar and by name of the run.

    Returns:
        dict: See :func:`topkd.analysis.run_history.history.summarize`, by scalar and run.

    Example:
        >>> import numpy as np
        >>> run = History(np.array([1, 2]), np.array([1, 2]), np.array([2.0, 1.0]), epoch_length=1)
        >>> summaries_of(dict(loss=dict(KD=run)))['loss']['KD']['last']
        1.0
    """
    return {
        quantity: {name: summarize(run) for name, run in histories.items() if len(run.values)}
        for quantity, histories in panels.items()
    }


def write_histories(folder: str | Path, name: str, origin: Mapping[str, Any], panels: Panels) -> str:
    """Write all histories with their summaries and return the file.

    Args:
        folder (str | Path): Where to.
        name (str): Of the file, without its ending.
        origin (Mapping): See :func:`topkd.analysis.record_file.write_record`.
        panels (Mapping): Histories by scalar and by name of the run.

    Example:
        >>> import numpy as np
        >>> run = History(np.array([1, 2]), np.array([1, 2]), np.array([2.0, 1.0]), epoch_length=1)
        >>> write_histories('.', 'runs', dict(seed=0), dict(loss=dict(KD=run)))
        'runs.json'
    """
    histories = {quantity: {run: history.plain() for run, history in runs.items()} for quantity, runs in panels.items()}
    return write_record(folder, name, origin, dict(summaries=summaries_of(panels), histories=histories))
