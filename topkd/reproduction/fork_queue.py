"""Jobs as children of a process that has made all imports: for jobs that are shorter than an import."""

from __future__ import annotations

import multiprocessing
import os
import sys
import traceback
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from topkd.reproduction.call import Call
from topkd.reproduction.local_queue import LocalQueue

if TYPE_CHECKING:
    from topkd.reproduction.jobs import Job


class ForkQueue(LocalQueue):
    """Runs a few jobs side by side, each forked from multiprocessing's server, which may have made the imports.

    ``tools/digits.py`` and ``tools/digit_scenes.py`` use it, as their jobs are shorter than an import. See
    ``multiprocessing.set_forkserver_preload``. If the system cannot fork, each job makes its imports itself.

    Args:
        tools (Path): Folder of this package's tools.
        jobs (int): Jobs side by side.
    """

    def __init__(self, tools: Path, jobs: int) -> None:
        super().__init__(tools, jobs)
        methods = multiprocessing.get_all_start_methods()
        self._context: Any = multiprocessing.get_context('forkserver' if 'forkserver' in methods else 'spawn')
        self._context.set_forkserver_preload([__name__])  # no effect on a server that runs already

    def submit(self, job: Job, after: Sequence[Any] = ()) -> Any:
        """Start a job now; what it says goes to ``log.txt`` of its folder."""
        job.folder.mkdir(parents=True, exist_ok=True)
        place, log = self._place(), job.folder / 'log.txt'
        _failure(log).unlink(missing_ok=True)  # here, as the new process may be killed before it comes to it
        call = Call(job, self.tools, self._variables(0))
        process = self._context.Process(target=_work, args=(call, log, self.threads))
        process.start()
        child: Any = Child(process, log)
        self._places[place] = child
        return child


class Child:
    """A running job, asked as submitit's jobs are.

    Args:
        process (BaseProcess): That runs it.
        log (Path): What it says.
    """

    def __init__(self, process: BaseProcess, log: Path) -> None:
        self.process = process
        self.paths = SimpleNamespace(stdout=log, result_pickle=_failure(log))

    def done(self) -> bool:
        """Tell whether it has ended."""
        return not self.process.is_alive()

    def cancel(self, check: bool = True) -> None:
        """End it."""
        self.process.terminate()


def _work(call: Call, log: Path, threads: int) -> None:
    """Run a job in this process, with its output in a file; leave a mark if it fails rather than being killed."""
    import torch

    with open(log, 'a', buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout, sys.stderr = os.fdopen(1, 'w', buffering=1), os.fdopen(2, 'w', buffering=1)
    torch.set_num_threads(threads)
    try:
        call()
    except Exception:
        traceback.print_exc()
        _failure(log).touch()
        sys.exit(1)


def _failure(log: Path) -> Path:
    return log.with_name('failed')
