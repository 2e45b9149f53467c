"""Calls of tools: what each reads and leaves behind, and when it is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmengine.config import Config

from topkd.artifacts.artifact import RipsNetArtifact
from topkd.reproduction.config_differences import artifact_differences, decisive, run_differences, write_planned
from topkd.reproduction.results_file import results_if_any

if TYPE_CHECKING:  # it brings all data sets and networks with it, which planning can do without
    from topkd.preflight import Task


@dataclass
class Job:
    """One call of a tool.

    Attributes:
        name (str): Unique, as printed.
        config (Config): What the tool reads, as ``config.py`` of the folder.
        folder (Path): Holds config, log and, of trainings, results and checkpoints.
        needs (tuple[str, ...]): Names of the jobs that must be done before.
        loss (str): Of clouds and RipsNets, the topology loss that they are for.
        tool (str): File below ``tools/``.
        members (Sequence[Job]): Jobs that this one does, each of which leaves results of its own; most jobs stand for
            themselves.
    """

    name: str
    config: Config
    folder: Path
    needs: tuple[str, ...] = ()
    loss: str = 'topology'
    tool: str = ''
    members: Sequence['Job'] = ()

    @property
    def config_path(self) -> Path:
        """Path: The config's file."""
        return self.folder / 'config.py'

    @cached_property
    def decisive(self) -> dict[str, Any]:
        """dict[str, Any]: What decides the result, by path in the config, which stays as it is once it is planned."""
        return decisive(self.config)

    @property
    def output(self) -> Path:
        """Path: The folder of the results."""
        return self.folder

    @property
    def folders(self) -> list[Path]:
        """list[Path]: What no other process may write to while this job runs."""
        return [self.folder, *(member.folder for member in self.members)]

    @property
    def batch_size(self) -> int | None:
        """int | None: Images of a step, which several GPUs can share; None if the tool runs on one."""
        return None

    @property
    def arguments(self) -> tuple[str, ...]:
        """tuple: Of the call, behind the config."""
        return ()

    @property
    def task(self) -> 'Task | None':
        """str | None: What the tool asks for before it starts, see :func:`topkd.preflight.check_run`; None: nothing."""
        return None

    @property
    def makes(self) -> list[Path]:
        """list[Path]: Files that later jobs may read."""
        return [self.config_path]

    def is_done(self) -> bool:
        """Tell whether the job's result exists."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Write what the tool reads, and what the job was planned with."""
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.config_path.with_suffix('.partial.py')
        self.config.dump(str(partial))
        partial.replace(self.config_path)
        write_planned(self.config, self.folder)

    def has_run(self) -> bool:
        """Tell whether the tool has nothing left to do; :meth:`finish` may have."""
        return self.is_done()

    def finish(self) -> None:
        """Do what is left after the tool's call; most jobs have nothing to do."""

    def problem(self) -> str | None:
        """Say in a sentence why a tool that came to its end left no result; None if nothing is known."""
        return None

    def differences(self) -> list[str]:
        """List how what lies in the folder differs from what this job would make; none if nothing lies there."""
        return run_differences(self.config, self.folder)

    def check(self) -> None:
        """Refuse to go on with, or to count as done, what was made for another config.

        Raises:
            ValueError: Naming the entries that differ.
        """
        different = self.differences()
        if different:
            more = f' and {len(different) - 3} more' if len(different) > 3 else ''
            raise ValueError(
                f"'{self.output}' was made for another config ({'; '.join(different[:3])}{more}): give another "
                '--work-dir, set the same options as then, or delete that folder'
            )

    def check_same(self, other: 'Job') -> None:
        """Refuse another job of this name with another result.

        Raises:
            ValueError: If there would be two results of one name.
        """
        if self.decisive != other.decisive:
            raise ValueError(
                f"two different runs of this plan are named '{self.name}': rename the file of one of the pairs"
            )


@dataclass
class Training(Job):
    """The training of a network: a teacher, or a linear probe."""

    tool: str = 'train.py'

    @property
    def task(self) -> 'Task | None':
        """str | None: See :attr:`Job.task`."""
        return 'train'

    @property
    def makes(self) -> list[Path]:
        """list[Path]: Config and last checkpoint, also of the members."""
        return [file for job in (self, *self.members) for file in (job.config_path, last_checkpoint(job))]

    @property
    def batch_size(self) -> int | None:
        """int | None: Images of a step, which several GPUs can share."""
        return self.config.train_dataloader.batch_size

    @property
    def arguments(self) -> tuple[str, ...]:
        """tuple: Of the call, behind the config."""
        return '--work-dir', str(self.folder), '--resume'

    def is_done(self) -> bool:
        """Tell whether the last epoch was validated."""
        return trained_epochs(self.folder) == self.config.train_cfg.max_epochs


@dataclass
class Student(Training):
    """The training of a student, which a cohort may do for it."""

    @property
    def teacher(self) -> dict | None:
        """dict | None: Config of its teacher, None for a plain student."""
        return self.config.model.teacher.to_dict() if 'teacher' in self.config.model else None


@dataclass(kw_only=True)
class Clouds(Job):
    """The clouds and images of a teacher."""

    artifact: RipsNetArtifact
    tool: str = 'gen_pi.py'

    @property
    def task(self) -> 'Task | None':
        """str | None: See :attr:`Job.task`."""
        return 'gen_pi'

    @property
    def makes(self) -> list[Path]:
        """list[Path]: The manifest, which is written last."""
        return [self.artifact.manifest]

    @property
    def output(self) -> Path:
        """Path: The artifact's folder."""
        return self.artifact.folder

    @property
    def arguments(self) -> tuple[str, ...]:
        """tuple: Of the call, behind the config."""
        return () if self.loss == 'topology' else ('--loss', self.loss)

    def is_done(self) -> bool:
        """Tell whether the clouds are complete, or no longer needed."""
        return self.artifact.ripsnet.is_file() or self.artifact.has_clouds()

    def differences(self) -> list[str]:
        """List in what settings the files at hand were made otherwise."""
        return artifact_differences(self.config, self.artifact)

    def check_same(self, other: Job) -> None:
        """Refuse another teacher of the same name; the seeds and losses of the configs play no part."""
        if self.config.model.teacher != other.config.model.teacher:
            name = self.config.model.teacher.name
            raise ValueError(f"two different teachers of this plan are named '{name}': rename one of them")


@dataclass(kw_only=True)
class RipsNetTraining(Clouds):
    """The training of the RipsNet of these clouds."""

    tool: str = 'train_ripsnet.py'

    @property
    def task(self) -> 'Task | None':
        """str | None: See :attr:`Job.task`."""
        return 'train_ripsnet'

    @property
    def makes(self) -> list[Path]:
        """list[Path]: The network."""
        return [self.artifact.ripsnet]

    def is_done(self) -> bool:
        """Tell whether the network's file exists."""
        return self.artifact.ripsnet.is_file()


@dataclass(kw_only=True)
class AnalysisJob(Job):
    """A tool of ``tools/analysis`` that looks at the students of one seed.

    Attributes:
        checkpoints (dict[str, Path]): Of the students, by their names in the table.
        options (Sequence[str]): Further arguments of the tool.
    """

    checkpoints: dict[str, Path]
    options: Sequence[str] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        """tuple: Of the call, behind the config."""
        named = [f'{name}={checkpoint}' for name, checkpoint in self.checkpoints.items()]
        return *named, '--out', str(self.folder), *self.options

    def is_done(self) -> bool:
        """Tell whether the figures exist and are newer than all students."""
        return is_newer(self.folder / f'{Path(self.tool).stem}.json', list(self.checkpoints.values()))


def last_checkpoint(job: Job) -> Path:
    """Return the checkpoint that a training job ends with."""
    return job.folder / f'epoch_{job.config.train_cfg.max_epochs}.pth'


def trained_epochs(folder: Path) -> int:
    """Return after how many epochs the last validation of a run was, 0 where there was none."""
    found = results_if_any(folder)
    return found['last']['epoch'] if found else 0


def is_newer(path: Path, sources: Sequence[Path]) -> bool:
    """Tell whether a file exists and was written after all of its sources that exist."""
    return path.is_file() and all(
        not source.is_file() or source.stat().st_mtime <= path.stat().st_mtime for source in sources
    )
