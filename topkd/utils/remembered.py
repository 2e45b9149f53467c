"""Choices that are measured once on a machine and stay the same from then on.

Caches of results, such as joblib's, recompute when code changes; a measured choice has to stay.
"""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch

TIMED_RUNS = 3


def cache_folder() -> Path:
    """Return where measured choices are kept: ``$TOPKD_CACHE``, or ``topkd`` in the user's cache folder."""
    given = os.environ.get('TOPKD_CACHE')
    return Path(given) if given else Path(os.environ.get('XDG_CACHE_HOME', '~/.cache')).expanduser() / 'topkd'


def remembered(key: str, measure: Callable[[], str], default: str) -> str:
    """Return a choice that was measured before, or measure it and keep it.

    A training that is killed and resumed, and trainings that are compared, must not depend on what the clock said. Of
    processes that measure at the same time, all take what the first one wrote.

    Args:
        key (str): Everything that the choice depends on.
        measure (Callable): Returns the choice.
        default (str): Taken without measuring if nothing can be kept.

    Returns:
        str: The choice.

    Example:
        >>> remembered('a folder that cannot be made', lambda: 'measured', 'default')  # doctest: +SKIP
        'default'
    """
    path = cache_folder() / 'choices' / hashlib.sha256(key.encode()).hexdigest()[:24]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            own = path.with_name(f'{path.name}.{os.getpid()}')
            own.write_text(measure())
            _keep_first(own, path)
        return path.read_text()
    except OSError:
        return default


def _keep_first(own: Path, path: Path) -> None:
    """Give a whole file its name, unless another process has done so."""
    try:
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        own.unlink()


def least_seconds(function: Callable[[], object], device: torch.device) -> float:
    """Return the shortest time of a few calls, after one that is not counted."""
    taken = []
    for _ in range(1 + TIMED_RUNS):
        start = time.perf_counter()
        function()
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        taken.append(time.perf_counter() - start)
    return min(taken[1:])


def speed_of(device: torch.device) -> str:
    """Return what tells the speed of a device: a GPU's name, or the CPU's abilities and the number of threads."""
    if device.type == 'cuda':
        return torch.cuda.get_device_name(device)
    return f'{device.type} {torch.backends.cpu.get_cpu_capability()} {torch.get_num_threads()} threads'
