"""The trainings of a RipsNet's operators as jobs of their own, to run them side by side."""

from dataclasses import dataclass, replace

from topkd.artifacts.settings import RIPSNET
from topkd.reproduction.jobs import Job, RipsNetTraining
from topkd.reproduction.plan import Plan


@dataclass(kw_only=True)
class OperatorTraining(RipsNetTraining):
    """The training of a RipsNet with one operator; the job that needs it keeps the better one.

    Attributes:
        operator (str): 'mean' or 'sum'.
    """

    operator: str

    @property
    def arguments(self) -> tuple[str, ...]:
        """tuple: Of the call, behind the config."""
        return *super().arguments, '--operator', self.operator

    def is_done(self) -> bool:
        """Tell whether its result exists, or is no longer needed."""
        return super().is_done() or self.artifact.result(self.operator).is_file()


def apart(plan: Plan) -> Plan:
    """Return a plan in which the operators of every missing RipsNet are trained each by a job.

    Args:
        plan (Plan): With one training for each RipsNet.
    """
    jobs: dict[str, Job] = {}
    for name, job in plan.jobs.items():
        parts = _parts(job) if isinstance(job, RipsNetTraining) and not job.is_done() else []
        jobs.update({part.name: part for part in parts})
        jobs[name] = replace(job, needs=tuple(part.name for part in parts)) if parts else job
    return replace(plan, jobs=jobs)


def _parts(job: RipsNetTraining) -> list[OperatorTraining]:
    """Return the trainings of a RipsNet's operators; none if there is but one."""
    operators = operators_of(job)
    return [
        OperatorTraining(
            f'{job.name} ({operator})',
            job.config,
            job.folder.with_name(f'{job.folder.name}_{operator}'),
            job.needs,
            job.loss,
            artifact=job.artifact,
            operator=operator,
        )
        for operator in operators
        if len(operators) > 1
    ]


def operators_of(job: RipsNetTraining) -> tuple[str, ...]:
    """Return the operators that a RipsNet is trained with, of which the better one is kept."""
    return tuple(RIPSNET.filled(job.config.get('ripsnet'))['operators'])
