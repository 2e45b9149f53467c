"""What MMEngine logged over trainings: any scalar, over resumed runs, by epochs."""

import json
from collections.abc import Sequence
from glob import escape, glob
from numbers import Real
from os.path import isfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

LOG = 'vis_data/scalars.json'
COUNTS = ('step', 'iter', 'epoch')
GREATEST = 2**53  # of a count; JSON's numbers are exact up to here


class History(NamedTuple):
    """A scalar over a training.

    Attributes:
        steps (np.ndarray): Training steps (k, ), ascending, counted from 1.
        epochs (np.ndarray): The epoch of each, counted from 1; 0 if the training counts none (k, ).
        values (np.ndarray): (k, ), all finite.
        epoch_length (int, optional): Steps of an epoch; None if the training counts none.

    Example:
        >>> run = History(np.array([1, 2]), np.array([1, 1]), np.array([2.0, 1.0]), epoch_length=2)
        >>> run.plain()
        {'steps': [1, 2], 'values': [2.0, 1.0], 'epoch_length': 2}
    """

    steps: np.ndarray
    epochs: np.ndarray
    values: np.ndarray
    epoch_length: int | None

    def plain(self) -> dict[str, Any]:
        """Return lists and numbers, for JSON."""
        return dict(steps=self.steps.tolist(), values=self.values.tolist(), epoch_length=self.epoch_length)


def read_run(folder: str | Path) -> list[dict[str, Any]]:
    """Read the training records of MMEngine's ``<folder>/<timestamp>/vis_data/scalars.json``, or of one such start.

    A training that was resumed has several starts. What an earlier one logged from the step on at which a later one
    logged first is left out: the later one trained on from a checkpoint before it, or anew.

    Args:
        folder (str | Path): Work directory of a training.

    Returns:
        list[dict]: Records of training steps, ascending by ``step``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If one is damaged, or none has records of training steps.

    Example:
        >>> Path('work/vis_data').mkdir(parents=True, exist_ok=True)
        >>> size = Path('work/vis_data/scalars.json').write_text('{"loss": 2.0, "iter": 1, "step": 1}')
        >>> read_run('work')
        [{'loss': 2.0, 'iter': 1, 'step': 1}]
    """
    files = _files(folder) or [path for path in glob(f'{escape(str(folder))}/{LOG}') if isfile(path)]
    if not files:
        raise FileNotFoundError(f"'{folder}' holds no <timestamp>/{LOG}: name the work directory of a training")
    records: list[dict[str, Any]] = []
    for path in files:
        # validations are logged by epochs, and without 'iter'
        found = sorted((record for record in _read(path) if 'iter' in record), key=lambda record: record['step'])
        if found:
            records = [record for record in records if record['step'] < found[0]['step']] + found
    if not records:
        raise ValueError(
            f"the logs in '{folder}' hold no training step: name the work directory of a training that has begun"
        )
    return records


def read_validations(folder: str | Path) -> dict[int, dict[str, float]]:
    r"""Read the metrics of all validations of a training, those of a later start in place of an earlier one's.

    Args:
        folder (str | Path): Work directory of a training.

    Returns:
        dict: By epoch, or by step if the training counts none; empty if there was none.

    Example:
        >>> log = Path('run/20260101_000000/vis_data/scalars.json')
        >>> log.parent.mkdir(parents=True)
        >>> _ = log.write_text('{"loss": 2.0, "iter": 8, "step": 8}\n{"accuracy/top1": 9.5, "step": 1}\n')
        >>> read_validations('run')
        {1: {'accuracy/top1': 9.5}}
    """
    found: dict[int, dict[str, float]] = {}
    for path in _files(folder):
        for record in _read(path):
            if 'iter' not in record:
                found[record['step']] = {key: value for key, value in record.items() if key != 'step'}
    return found


def _files(folder: str | Path) -> list[str]:
    return sorted(filter(isfile, glob(f'{escape(str(folder))}/*/{LOG}')))


def _read(path: str) -> list[dict[str, Any]]:
    lines = Path(path).read_bytes().splitlines()
    records = []
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
        except ValueError as error:
            if number == len(lines):
                break  # a killed run leaves half a line at the end
            raise _damaged(path, number, str(error)) from error
        if not isinstance(record, dict) or 'step' not in record:
            raise _damaged(path, number, 'a dict with a step was expected')
        for name in COUNTS:
            count = record.get(name, 0)
            if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= GREATEST:
                raise _damaged(path, number, f'{name} must be a whole number from 0, got {count!r}')
        for name, value in record.items():
            if isinstance(value, int) and abs(value) > GREATEST or not isinstance(value, (Real, str)):
                raise _damaged(path, number, f'{name} must be a number, got {value!r}')
        records.append(record)
    return records


def _damaged(path: str, number: int, what: str) -> ValueError:
    return ValueError(f"'{path}' is damaged in line {number} ({what}): take that line out")


def history_of(records: Sequence[dict[str, Any]], key: str) -> History:
    """Pick one scalar out of a run's records.

    Args:
        records (Sequence[dict]): Of :func:`read_run`.
        key (str): For example 'gradient_ratio_topology'.

    Returns:
        History: Empty if the run did not log it. Values that are not finite are left out.

    Raises:
        ValueError: If a value is a word.

    Example:
        >>> history_of([dict(step=1, epoch=1, loss=2.0), dict(step=2, epoch=1, loss=1.0)], 'loss').values.tolist()
        [2.0, 1.0]
    """
    found = [record for record in records if key in record]
    for record in found:
        if isinstance(record[key], str):
            raise ValueError(
                f'the log of step {record["step"]} must hold a number as {key}, got {record[key]!r}: take that line out'
            )
    chosen = [record for record in found if np.isfinite(record[key])]
    columns = [np.array([record.get(name, 0) for record in chosen]) for name in ('step', 'epoch', key)]
    return History(columns[0].astype(int), columns[1].astype(int), columns[2].astype(float), _epoch_length(records))


def _epoch_length(records: Sequence[dict[str, Any]]) -> int | None:
    # step s of epoch e means an epoch of s / e steps at least; the last step of an epoch, which is mostly logged, says
    # exactly
    lengths = [-(-record['step'] // record['epoch']) for record in records if record.get('epoch')]
    return max(lengths) if len(lengths) == len(records) else None


def summarize(history: History) -> dict[str, Any]:
    """Return a history's first and last value and the medians of its first and last epoch.

    A training without epochs has medians of its first and last tenth of steps.

    Args:
        history (History): Not empty.

    Returns:
        dict: ``first``, ``first_epoch``, ``last_epoch``, ``last``; ``first_step``, ``last_step``, and ``logged``
        values.

    Example:
        >>> run = history_of([dict(step=1, epoch=1, loss=2.0), dict(step=2, epoch=2, loss=1.0)], 'loss')
        >>> summarize(run)['last_epoch']
        1.0
    """
    steps, values = history.steps, history.values
    if history.epoch_length is None:
        early, late = steps <= steps[-1] / 10, steps > 0.9 * steps[-1]
    else:
        early, late = history.epochs == history.epochs[0], history.epochs == history.epochs[-1]
    early[0] = True  # the first value may come after the first tenth
    return dict(
        first=values[0].item(),
        first_epoch=np.median(values[early]).item(),
        last_epoch=np.median(values[late]).item(),
        last=values[-1].item(),
        first_step=steps[0].item(),
        last_step=steps[-1].item(),
        logged=len(values),
    )
