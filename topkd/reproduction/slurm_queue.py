"""Jobs of a Slurm cluster."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import submitit

from topkd.reproduction.queue import Queue, Submitted

if TYPE_CHECKING:
    from topkd.reproduction.jobs import Job

# states in which the controller holds a job that has not ended
WAITING_OR_RUNNING = ('PENDING', 'CONFIGURING', 'RUNNING', 'SUSPENDED', 'COMPLETING', 'REQUEUED', 'PREEMPTED')
COMMANDS = ('sbatch', 'srun', 'sacct', 'scancel', 'scontrol')


class SlurmQueue(Queue):
    """Lines all jobs up at once; Slurm starts each when those that it needs are done, and again after a preemption.

    Args:
        tools (Path): Folder of this package's tools.
        jobs (int, optional): Jobs in the queue at once. None: all.
        gpus (int): GPUs of a training, on one node; 0 for none.
        partition (str, optional): None: the cluster's own.
        minutes (int): Time limit of a job; one that reaches it is lined up again and goes on.
        cpus (int, optional): Cores of a job. None: the cluster's default.
        options (dict, optional): Further options of sbatch, by their long names.

    Raises:
        ValueError: If this machine lacks Slurm's commands, or the cluster keeps no accounts, from which states are
            read.
    """

    cluster = 'slurm'
    holds_back = True

    def __init__(
        self,
        tools: Path,
        jobs: int | None = None,
        gpus: int = 1,
        partition: str | None = None,
        minutes: int = 24 * 60,
        cpus: int | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(tools, jobs, gpus)
        self.partition, self.minutes, self.cpus, self.options = partition, minutes, cpus, options or {}
        _check_commands()

    @property
    def hardware(self) -> str:
        """str: What the jobs compute with, in words."""
        place = f'partition {self.partition}' if self.partition else 'its own partition'
        return f'Slurm, {place}, {self.gpus} GPUs a training'

    def find(self, jobs: Iterable[Job]) -> dict[str, Submitted]:
        """Return, by name, those of some jobs that are in the queue, whoever submitted them."""
        folders = {job.name: self._folder(job) for job in jobs}
        numbers = {name: _newest(folder) for name, folder in folders.items()}
        found: dict[str, Submitted] = {
            name: submitit.SlurmJob(folders[name], number) for name, number in numbers.items() if number
        }
        return {name: job for name, job in found.items() if _is_known(job) and not job.done()}

    def is_free(self, job: Job) -> bool:
        """Let the queue find out: a job that another process is at waits for it, and costs next to nothing."""
        return True

    def started(self, submitted: Submitted) -> str:
        """Say of a job that it was submitted, and its number."""
        return f'is in the queue as job {submitted.job_id}'

    def was_canceled(self, submitted: Submitted) -> bool:
        """Tell whether a user ended a job by scancel."""
        return submitted.state.startswith('CANCELLED')

    def stop(self, submitted: Collection[Submitted]) -> str:
        """Leave the jobs to the queue, and say how to end them."""
        numbers = ' '.join(job.job_id for job in submitted if not job.done())
        if not numbers:
            return 'no job is left in the queue; the same command goes on'
        return f'the queue goes on by itself, the same command looks after it again, and scancel {numbers} ends it'

    def _parameters(self, job: Job, gpus: int, after: Sequence[Submitted]) -> dict[str, Any]:
        more: dict[str, Any] = {'requeue': True, **self.options}
        if after:
            more['dependency'] = ':'.join(['afterok', *(other.job_id for other in after)])
            more['kill-on-invalid-dep'] = 'yes'
        chosen = dict(slurm_partition=self.partition, gpus_per_node=gpus or None, cpus_per_task=self.cpus)
        return dict(timeout_min=self.minutes, slurm_additional_parameters=more, **chosen)

    def _variables(self, gpus: int) -> dict[str, str]:
        return {} if gpus else dict(CUDA_VISIBLE_DEVICES='')


def read_minutes(text: str) -> int:
    """Read a time limit as Slurm writes it: minutes, hours:minutes:seconds, or days-hours[:minutes[:seconds]].

    Raises:
        ValueError: If it is anything else, or less than a minute.

    Example:
        >>> read_minutes('90'), read_minutes('12:00:00'), read_minutes('2-12')
        (90, 720, 3600)
    """
    match = re.fullmatch(r'(\d+)|(?:(\d+)-)?(\d+):(\d\d):(\d\d)|(\d+)-(\d+)(?::(\d\d))?', text)
    if match is not None:
        minutes, days, hours, more, _, other_days, other_hours, other_more = (int(word or 0) for word in match.groups())
        total = minutes + ((days + other_days) * 24 + hours + other_hours) * 60 + more + other_more
        if total > 0:
            return total
    raise ValueError(f"expected a time limit as 90 (minutes), 12:00:00 or 2-12:00:00, got '{text}'")


def _newest(folder: Path) -> str | None:
    """Return the number under which the job of a folder was submitted last."""
    numbers = [path.name.split('_')[0] for path in folder.glob('*_submitted.pkl')]
    return max(numbers, key=int, default=None)


def _is_known(job: Submitted) -> bool:
    """Tell whether Slurm knows a job: by its accounts, or by its controller, which knows a new one before they do."""
    if job.state != 'UNKNOWN':
        return True
    answer = subprocess.run(['scontrol', 'show', 'job', job.job_id], capture_output=True, text=True)
    match = re.search(r'JobState=(\w+)', answer.stdout)
    return answer.returncode == 0 and match is not None and match[1] in WAITING_OR_RUNNING


def _check_commands() -> None:
    missing = [command for command in COMMANDS if shutil.which(command) is None]
    if missing:
        raise ValueError(f'--cluster slurm needs {", ".join(missing)}: give it on a machine that submits to Slurm')
    answer = subprocess.run(['sacct', '--noheader', '--jobs=1'], capture_output=True, text=True)
    if answer.returncode != 0:
        words = (answer.stderr or answer.stdout).strip().splitlines() or ['nothing']
        raise ValueError(
            f"--cluster slurm reads the states of jobs from sacct, which says '{words[-1]}': Slurm needs its accounts "
            '(AccountingStorageType=accounting_storage/slurmdbd)'
        )
