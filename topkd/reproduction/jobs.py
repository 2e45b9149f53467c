"""Calls of tools: what each reads and leaves behind, and when it is done; and the trainings of networks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmengine.config import Config

from topkd.reproduction.config_differences import decisive, run_differences, write_planned
from topkd.reproduction.results_file import results_if_any, training_figures

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

    @property
    def pictures(self) -> list[Path]:
        """list[Path]: Folders of what it draws for a reader; most jobs draw nothing."""
        return []

    @property
    def operators(self) -> tuple[str, ...]:
        """tuple[str, ...]: Those of RipsNet that it trains itself; most jobs train none."""
        return ()

    def parts(self) -> list['Job']:
        """Return jobs that do this one's work together, the last of them under its name; most jobs cannot be parted."""
        return [self]

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

    def figures(self, network: str, metrics: Sequence[str]) -> dict[str, Any]:
        """Read what a finished job found out about a network, in the units of the paper.

        Args:
            network (str): Name of the variant, for a job that looks at several.
            metrics (Sequence[str]): Keys of ``results.json`` that are wanted.

        Returns:
            dict: ``last`` and ``best`` figures by metric, those of the ``teacher``, the ``folder``; of a training also
            ``seed`` and ``epochs``.
        """
        raise NotImplementedError

    def errors(self) -> dict[str, float]:
        """Return the errors of a finished RipsNet by operator; other jobs have none."""
        return {}

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

    def figures(self, network: str, metrics: Sequence[str]) -> dict[str, Any]:
        """Read ``results.json``, see :meth:`Job.figures`."""
        return training_figures(self.folder, metrics)


@dataclass(kw_only=True)
class Student(Training):
    """The training of a student, which a cohort may do for it.

    Attributes:
        member_name (str): What the cohort calls it, in names of files too.
    """

    member_name: str

    @property
    def teacher(self) -> dict | None:
        """dict | None: Config of its teacher, None for a plain student."""
        return self.config.model.teacher.to_dict() if 'teacher' in self.config.model else None


def last_checkpoint(job: Job) -> Path:
    """Return the checkpoint that a training job ends with."""
    return checkpoint_in(job.folder, job.config)


def checkpoint_in(folder: Path, cfg: Config) -> Path:
    """Return the checkpoint that a training ends with.

    Args:
        folder (Path): Its work directory.
        cfg (Config): Of the training.
    """
    return folder / f'epoch_{cfg.train_cfg.max_epochs}.pth'


def trained_epochs(folder: Path) -> int:
    """Return after how many epochs the last validation of a run was, 0 where there was none."""
    found = results_if_any(folder)
    return found['last']['epoch'] if found else 0
