"""What is made once for a teacher: its clouds and their RipsNet, whole or one operator at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topkd.artifacts.artifact import RipsNetArtifact
from topkd.artifacts.settings import RIPSNET
from topkd.reproduction.config_differences import artifact_differences
from topkd.reproduction.jobs import Job
from topkd.utils.files import read_json

if TYPE_CHECKING:  # it brings all data sets and networks with it, which planning can do without
    from topkd.preflight import Task


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
    """The training of the RipsNet of these clouds.

    Attributes:
        is_parted (bool): Whether other jobs train its operators, and this one only keeps the better one.
    """

    tool: str = 'train_ripsnet.py'
    is_parted: bool = False

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

    @property
    def operators(self) -> tuple[str, ...]:
        """tuple[str, ...]: Those that it trains itself."""
        return () if self.is_parted else self._wanted()

    def parts(self) -> list[Job]:
        """Return the trainings of its operators and the job that keeps the better one, or this one if that is all."""
        if len(self.operators) < 2:
            return [self]
        parts = [self._of(operator) for operator in self.operators]
        return [*parts, replace(self, needs=tuple(part.name for part in parts), is_parted=True)]

    def _wanted(self) -> tuple[str, ...]:
        """Return the operators of the config, whichever job trains them."""
        return tuple(RIPSNET.filled(self.config.get('ripsnet'))['operators'])

    def _of(self, operator: str) -> 'OperatorTraining':
        """Return the training of one operator, in a folder of its own."""
        return OperatorTraining(
            f'{self.name} ({operator})',
            self.config,
            self.folder.with_name(f'{self.folder.name}_{operator}'),
            self.needs,
            self.loss,
            artifact=self.artifact,
            operator=operator,
        )

    def errors(self) -> dict[str, float]:
        """Return the errors on held-out clouds by operator, none before the better one was kept."""
        if not self.artifact.ripsnet.is_file():
            return {}
        paths = {operator: self.artifact.result(operator) for operator in self._wanted()}
        return {operator: read_json(path, 'mse')['mse'] for operator, path in paths.items() if path.is_file()}

    def figures(self, network: str, metrics: Sequence[str]) -> dict[str, Any]:
        """Return the errors and the number of clouds, see :meth:`Job.figures`."""
        return dict(
            **dict.fromkeys(('last', 'best'), self.errors()),
            teacher={},
            folder=str(self.artifact.folder),
            num_clouds=self.artifact.settings(()).get('clouds.num_clouds'),
        )


@dataclass(kw_only=True)
class OperatorTraining(RipsNetTraining):
    """The training of a RipsNet with one operator; the job that needs it keeps the better one.

    Attributes:
        operator (str): 'mean' or 'sum'.
    """

    operator: str

    @property
    def operators(self) -> tuple[str, ...]:
        """tuple[str, ...]: The one that it trains."""
        return (self.operator,)

    @property
    def arguments(self) -> tuple[str, ...]:
        """tuple: Of the call, behind the config."""
        return *super().arguments, '--operator', self.operator

    def is_done(self) -> bool:
        """Tell whether its result exists, or is no longer needed."""
        return super().is_done() or self.artifact.result(self.operator).is_file()
