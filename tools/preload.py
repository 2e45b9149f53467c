"""Make the imports of a tool's jobs in a process of their own, beside those of the tool itself."""

import multiprocessing
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver

MODULES = ('topkd', 'topkd.models', 'topkd.runners', 'topkd.hooks', 'topkd.datasets', 'topkd.reproduction.fork_queue')
PARTS = ('models', 'datasets', 'engine', 'evaluation', 'visualization')


def preload(toolbox: str, threads: int | None = None) -> None:
    """Start the process from which jobs are forked, if the system can fork; nothing else may be imported before.

    Args:
        toolbox (str): 'mmpretrain' or 'mmdet'.
        threads (int, optional): Of each job. None: as many as there are cores.
    """
    if threads is not None:
        os.environ['OMP_NUM_THREADS'] = str(threads)
    if 'forkserver' in multiprocessing.get_all_start_methods():
        multiprocessing.set_forkserver_preload([*MODULES, *(f'{toolbox}.{part}' for part in PARTS)])
        with _silence():
            forkserver.ensure_running()


@contextmanager
def _silence() -> Iterator[None]:
    """Let a process that is started here inherit no place to print to: what imports say is nothing to a reader."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, 'w') as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
