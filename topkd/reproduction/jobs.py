"""The runs behind a table: calls of tools, and when they are done."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config

from topkd.artifacts.artifact import RipsNetArtifact
from topkd.reproduction.planned import artifact_differences, run_differences
from topkd.reproduction.tables import Variant


@dataclass
class Job:
    """One call of a tool.

    Attributes:
        name: Unique, as printed.
        tool: File below ``tools/``.
        arguments: Of the call, behind the config.
        config: What the tool reads, as ``config.py`` of the folder.
        folder: Holds config, log and, of trainings, results and checkpoints.
        is_done: Tells whether the job's result exists.
        needs: Names of the jobs that must be done before.
        artifact: Of clouds and RipsNets, where they are made.
        loss: Of clouds and RipsNets, the topology loss that they are for.
    """

    name: str
    tool: str
    config: Config
    folder: Path
    is_done: Callable[[], bool]
    arguments: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    artifact: RipsNetArtifact | None = None
    loss: str = 'topology'

    @property
    def config_path(self) -> Path:
        """Path: The config's file."""
        return self.folder / 'config.py'


class Row(NamedTuple):
    """A line of a table: a variant of a pair, and the jobs that measure it."""

    pair: str
    variant: Variant
    jobs: tuple[str, ...]
    probe: str = ''


@dataclass
class Plan:
    """The jobs of a table, in order, and the rows that they fill."""

    jobs: dict[str, Job] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    teachers: dict[str, tuple[str, str]] = field(default_factory=dict)  # by pair: name, checkpoint

    def missing(self) -> list[Job]:
        """Return the jobs whose results do not exist yet."""
        return [job for job in self.jobs.values() if not job.is_done()]


def last_checkpoint(job: Job) -> Path:
    """Return the checkpoint that a training job ends with."""
    return job.folder / f'epoch_{job.config.train_cfg.max_epochs}.pth'


def trained_epochs(folder: Path) -> int:
    """Return after how many epochs the last validation of a run was, 0 where there was none."""
    path = folder / 'results.json'
    return json.loads(path.read_text())['last']['epoch'] if path.is_file() else 0


def is_newer(path: Path, sources: Sequence[Path]) -> bool:
    """Tell whether a file exists and was written after all of its sources that exist."""
    return path.is_file() and all(
        not source.is_file() or source.stat().st_mtime <= path.stat().st_mtime for source in sources
    )


def check_job(job: Job) -> None:
    """Refuse to go on with, or to count as done, what was made for another config.

    Raises:
        ValueError: Naming the entries that differ.
    """
    if job.artifact is not None:
        folder, different = job.artifact.folder, artifact_differences(job.config, job.artifact)
    else:
        folder, different = job.folder, run_differences(job.config, job.folder)
    if different:
        more = f' and {len(different) - 3} more' if len(different) > 3 else ''
        raise ValueError(
            f"'{folder}' was made for another config ({'; '.join(different[:3])}{more}): give another --work-dir, set "
            'the same options as then, or delete that folder'
        )
