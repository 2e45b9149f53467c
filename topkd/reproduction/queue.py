"""Where the jobs of a plan run: what this machine and a cluster have in common, by submitit."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import submitit
from submitit.core.utils import FailedJobError, FailedSubmissionError, environment_variables
from submitit.helpers import clean_env

from topkd.reproduction.call import Call

if TYPE_CHECKING:
    from topkd.reproduction.jobs import Job

Submitted = submitit.Job[None]
# a job that reaches its time limit so often makes no progress between two of them
TIMEOUTS = 20


class Queue(ABC):
    """Starts jobs by one of submitit's executors.

    Args:
        tools (Path): Folder of this package's tools.
        capacity (int, optional): Jobs at once. None: as many as there are.
        gpus (int): GPUs of a training; 0 for none.

    Attributes:
        cluster (str): submitit's name of the executor.
        holds_back (bool): Whether a job can be submitted before those that it needs are done.
        threads (int, optional): Threads of a job, None if the queue decides.
    """

    cluster: str
    holds_back: bool
    threads: int | None = None

    def __init__(self, tools: Path, capacity: int | None, gpus: int) -> None:
        self.tools, self.capacity, self.gpus = tools, capacity, gpus

    def submit(self, job: Job, after: Sequence[Submitted] = ()) -> Submitted:
        """Start a job, or line it up.

        Args:
            job (Job): Its folder gets submitit's files.
            after (Sequence): Jobs that must be done first, if this queue holds jobs back.

        Raises:
            ValueError: If the queue refuses the job, or its batch cannot be shared by the GPUs.
        """
        gpus = self._gpus_of(job)
        parameters, variables = self._parameters(job, gpus, after), self._variables(gpus)
        executor = submitit.AutoExecutor(self._folder(job), cluster=self.cluster, slurm_max_num_timeout=TIMEOUTS)
        executor.update_parameters(name=re.sub(r'\W+', '-', job.name), stderr_to_stdout=True, **parameters)
        try:
            # this process may be a job of a queue itself
            with clean_env(), environment_variables(**variables):
                return executor.submit(Call(job, self.tools, variables, max(gpus, 1)))
        except (FailedJobError, FailedSubmissionError) as error:
            words = str(error).strip().splitlines() or ['it gave no reason']
            raise ValueError(f"the queue refused '{job.name}': {words[-1]}") from error

    def _folder(self, job: Job) -> Path:
        """Return the folder of submitit's files; numbers of jobs mean nothing to another executor."""
        return job.folder / 'submitit' / self.cluster

    def _gpus_of(self, job: Job) -> int:
        if job.batch_size is None or self.gpus < 2:
            return min(self.gpus, 1)
        if job.batch_size % self.gpus:
            raise ValueError(
                f"the {job.batch_size} images of a batch of '{job.name}' cannot be shared by --gpus {self.gpus}: take "
                'a divisor'
            )
        return self.gpus

    @property
    @abstractmethod
    def hardware(self) -> str:
        """str: What the jobs compute with, in words."""

    @abstractmethod
    def find(self, jobs: Iterable[Job]) -> dict[str, Submitted]:
        """Return, by name, those of some jobs that an earlier call has submitted and the queue still has."""

    @abstractmethod
    def is_free(self, job: Job) -> bool:
        """Tell whether a job would have more to do than to wait for another process that is at it."""

    @abstractmethod
    def started(self, submitted: Submitted) -> str:
        """Say of a job that it was submitted."""

    def was_canceled(self, submitted: Submitted) -> bool:
        """Tell whether a user, rather than the system, ended a job without a result."""
        return False

    @abstractmethod
    def stop(self, submitted: Collection[Submitted]) -> str:
        """Leave, and return in one sentence what becomes of the jobs that were submitted."""

    @abstractmethod
    def _parameters(self, job: Job, gpus: int, after: Sequence[Submitted]) -> dict[str, Any]:
        """Return submitit's parameters of a job."""

    @abstractmethod
    def _variables(self, gpus: int) -> dict[str, str]:
        """Return the environment variables of the job that is submitted next."""
