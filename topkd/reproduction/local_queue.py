"""Jobs as processes of this machine."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topkd.reproduction.devices import describe
from topkd.reproduction.locks import is_held
from topkd.reproduction.queue import Queue, Submitted

if TYPE_CHECKING:
    from topkd.reproduction.jobs import Job

YEAR = 365 * 24 * 60  # minutes; submitit ends a local job after 2 unless told otherwise
PATIENCE = 5.0  # seconds until a job that does not end is told so again


class LocalQueue(Queue):
    """Runs a few jobs side by side, each with its part of the machine's cores and GPUs.

    Args:
        tools (Path): Folder of this package's tools.
        jobs (int): Jobs side by side.
        gpus (int): GPUs of a training; 0 for none.
        visible (Sequence[str]): Names of the GPUs to use, from :func:`topkd.reproduction.devices.visible_gpus`. If
            they are fewer than the jobs need, jobs share them.

    Raises:
        ValueError: If a training should have more GPUs than there are.
    """

    cluster = 'local'
    holds_back = False

    def __init__(self, tools: Path, jobs: int = 1, gpus: int = 0, visible: Sequence[str] = ()) -> None:
        super().__init__(tools, jobs, gpus)
        if gpus > len(visible):
            raise ValueError(
                f'--gpus {gpus}: there are {len(visible)} GPUs to use here, a training cannot have more: lower it'
            )
        self.jobs, self.visible = jobs, list(visible)
        self.threads = int(os.environ.get('OMP_NUM_THREADS') or max(1, (os.cpu_count() or 1) // jobs))
        self._places: dict[int, Submitted] = {}

    @property
    def hardware(self) -> str:
        """str: What the jobs compute with, in words."""
        return describe(self.visible, self.threads or 1)

    def submit(self, job: Job, after: Sequence[Submitted] = ()) -> Submitted:
        """Start a job now; see :meth:`Queue.submit`."""
        place = self._place()
        with _stderr_in(self._folder(job) / 'controller.err'), _interruptible():
            submitted = self._places[place] = super().submit(job, after)
        return submitted

    def find(self, jobs: Iterable[Job]) -> dict[str, Submitted]:
        """Return nothing: a job that outlived an earlier call is waited for by its lock."""
        return {}

    def is_free(self, job: Job) -> bool:
        """Tell whether no other process is at a job."""
        return not any(is_held(folder) for folder in job.folders)

    def started(self, submitted: Submitted) -> str:
        """Say of a job that it was submitted."""
        return 'has started'

    def stop(self, submitted: Collection[Submitted]) -> str:
        """End all jobs, and say so when their processes have ended."""
        left = [job for job in submitted if not job.done()]
        while left:
            for job in left:
                job.cancel()
            end = time.monotonic() + PATIENCE
            while left and time.monotonic() < end:
                left = [job for job in left if not job.done()]
                time.sleep(0.05)
        return 'the jobs have been ended; the same command goes on from their last checkpoints'

    def _place(self) -> int:
        """Return the first place that no running job takes."""
        return next(place for place in range(self.jobs) if place not in self._places or self._places[place].done())

    def _parameters(self, job: Job, gpus: int, after: Sequence[Submitted]) -> dict[str, Any]:
        return dict(timeout_min=YEAR)

    def _variables(self, gpus: int) -> dict[str, str]:
        first = self._place() * self.gpus
        names = [self.visible[(first + number) % len(self.visible)] for number in range(gpus)]
        return dict(OMP_NUM_THREADS=str(self.threads), CUDA_VISIBLE_DEVICES=','.join(names))


@contextmanager
def _stderr_in(path: Path) -> Iterator[None]:
    """Let processes that start now write their errors to a file.

    submitit's controller of a job would print the traceback of its own interruption over the one line that is said.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    own = os.dup(2)
    try:
        with open(path, 'a') as file:
            os.dup2(file.fileno(), 2)
            yield
    finally:
        os.dup2(own, 2)
        os.close(own)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let processes that start now hear an interrupt, which is how submitit ends a local job.

    A script that starts this program in the background lets it, and all that it starts, ignore interrupts.
    """
    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
