"""Times of several functions, measured in turns."""

import itertools
import platform
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

WARM_UP = 2
SECONDS_A_TURN = 0.05
Route = Callable[[Tensor], object]


def measure_times(routes: dict[str, Route], batches: Sequence[Tensor], repeats: int) -> dict[str, list[float]]:
    """Time routes in turns, so that a machine whose speed drifts slows all of them alike.

    Args:
        routes (dict[str, Callable]): Functions of a batch of clouds.
        batches (Sequence[Tensor]): Clouds (B, n, d), handed out in turn, because a processor learns repeated ones.
        repeats (int): Turns, after two that do not count. In a turn a route runs for a twentieth of a second at least.

    Returns:
        dict[str, list]: Milliseconds a call, one a turn.

    Example:
        >>> clouds = [torch.randn(1, 64, 16)]
        >>> times = measure_times(dict(norm=torch.linalg.vector_norm, mean=torch.mean), clouds, repeats=1)
        >>> len(times['norm']), times['mean'][0] > 0
        (1, True)
    """
    return time_in_turns(routes, itertools.cycle(batches).__next__, repeats)


def time_in_turns(
    functions: dict[str, Callable[[Any], object]], supply: Callable[[], Any], repeats: int
) -> dict[str, list[float]]:
    """Time functions as :func:`measure_times` does, of whatever ``supply`` hands out for each call.

    Example:
        >>> list(time_in_turns(dict(double=lambda number: 2 * number), lambda: 21, repeats=1))
        ['double']
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    for turn in range(WARM_UP + repeats):
        for name, function in functions.items():
            elapsed = timed(function, supply)
            if turn >= WARM_UP:
                times[name].append(elapsed)
    return times


def timed(function: Callable[[Any], object], supply: Callable[[], Any]) -> float:
    """Return the milliseconds of a call, the mean over as many as fit into a turn.

    Example:
        >>> timed(lambda number: 2 * number, lambda: 21) > 0
        True
    """
    begin, calls = time.perf_counter(), 0
    while True:
        function(supply())
        calls += 1
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()
        elapsed = time.perf_counter() - begin
        if elapsed > SECONDS_A_TURN:
            return 1000 * elapsed / calls


def device_name(device: str) -> str:
    """Name the processor that ``device`` runs on.

    Raises:
        ValueError: If there is no such device, or it cannot be used.

    Example:
        >>> len(device_name('cpu')) > 0
        True
    """
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:  # the latter where PyTorch was built without CUDA
        reason = str(error).splitlines()[0].rstrip('.')
        raise ValueError(
            f"device '{device}' cannot be used ({reason}): name cpu, or cuda on a machine with a GPU and its driver"
        ) from error
    if device.startswith('cuda'):
        return torch.cuda.get_device_name(device)
    described = Path('/proc/cpuinfo').read_text() if Path('/proc/cpuinfo').is_file() else ''
    found = re.search(r'model name\s*:\s*(.+)', described)
    return found[1] if found else platform.processor() or platform.machine()
