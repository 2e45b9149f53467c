"""Finished runs of a study, one JSON file each, small enough to be committed: no clone repeats them."""

from pathlib import Path
from typing import Any

from topkd.reproduction.study.protocol import Study
from topkd.reproduction.study.run import StudyRun, digest
from topkd.utils.files import read_json, write_json

METRIC = 'accuracy/top1'


class Ledger:
    """The folder of a study's finished runs, ``<pair>/<run>.json``.

    Args:
        folder (Path): Where it lies.
        study (Study): Whose runs these are.
    """

    def __init__(self, folder: Path, study: Study) -> None:
        self.folder, self.study = folder, study

    def path(self, run: StudyRun) -> Path:
        """Return a run's file."""
        return self.folder / run.pair / f'{run.name}.json'

    def read(self, run: StudyRun) -> dict[str, Any] | None:
        """Return what a finished run has left, None if it is not finished, or not tested if it has to be.

        Raises:
            ValueError: If the file is of another config.
        """
        path = self.path(run)
        if not path.is_file():
            return None
        entry = read_json(path, 'digest', 'stopped')
        if entry['digest'] != digest(run, self.study):
            raise ValueError(
                f"'{path}' is of another config than the study's: set the config back, or move the file away to run "
                'it anew'
            )
        return None if run.tested and not entry['stopped'] and 'test' not in entry else entry

    def is_done(self, run: StudyRun) -> bool:
        """Tell whether a run is finished."""
        return self.read(run) is not None

    def write(self, run: StudyRun, found: dict[str, Any]) -> None:
        """File a finished run.

        Args:
            run (StudyRun): The run.
            found (dict): See :func:`topkd.reproduction.study.harvest.harvest`.
        """
        path = self.path(run)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(dict(digest=digest(run, self.study), run=run.plain(), **found), path)

    def score(self, run: StudyRun, split: str = 'validation') -> float:
        """Return a finished run's top-1 after its last epoch; minus infinity for a student that was stopped.

        Args:
            run (StudyRun): The run.
            split (str): 'validation' or 'test'. Defaults to 'validation'.

        Raises:
            LookupError: If the run is not finished.
        """
        entry = self.read(run)
        if entry is None:
            raise LookupError(f"'{run.name}' of {run.pair} is not finished")
        return float('-inf') if entry['stopped'] else entry[split][METRIC]
