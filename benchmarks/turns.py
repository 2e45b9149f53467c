"""Rows of a table whose variants are timed in turns, so that a machine whose speed drifts slows all of them."""
import itertools
import time
from statistics import median
from typing import Any, Callable, Dict, List, NamedTuple, Optional

import torch
from torch import Tensor

WARM_UP = 2
SECONDS_A_TURN = 0.05


class Row(NamedTuple):
    """A row: variants, each a function of a batch, that are compared with the first one.

    ``says`` is how: 'faster' (how many times faster a variant is), 'the time' (how many times its time) or 'share' (of the
    first one's time).
    """
    name: str
    bar: Optional[str]
    batches: Callable[[], Any]
    variants: Dict[str, Callable[[Any], object]]
    says: str = 'faster'


def make_clouds(*shape: int, device: str, count: int = 10) -> Callable[[], Tensor]:
    """Return a function that hands out batches of clouds, Gaussian ones, in turn: a processor learns repeated ones."""
    generator = torch.Generator().manual_seed(0)
    batches = itertools.cycle([torch.randn(*shape, generator=generator).to(device) for _ in range(count)])
    return lambda: next(batches)


def timed(function: Callable[[Any], object], batches: Callable[[], Any], device: str) -> float:
    """Return the milliseconds of a call, the mean over as many as fit into a turn."""
    begin = time.perf_counter()
    for calls in itertools.count(1):
        function(batches())
        if device == 'cuda':
            torch.cuda.synchronize()
        elapsed = time.perf_counter() - begin
        if elapsed > SECONDS_A_TURN:
            return 1000 * elapsed / calls


def measure(row: Row, repeats: int, device: str) -> Dict[str, float]:
    """Print a row: milliseconds of all variants, and their ratios to the first; medians over the turns.

    Returns:
        dict: The ratios.
    """
    times: Dict[str, List[float]] = {name: [] for name in row.variants}
    for turn in range(WARM_UP + repeats):
        for name, function in row.variants.items():
            elapsed = timed(function, row.batches, device)
            if turn >= WARM_UP:
                times[name].append(elapsed)
    first = next(iter(times.values()))
    print(f"\n{row.name}{f'   (bar: {row.bar})' if row.bar else ''}")
    ratios = {}
    for name, values in times.items():
        ratios[name] = median(b / a if row.says == 'faster' else a / b for a, b in zip(values, first))
        shown = f'{ratios[name]:9.2%} of it' if row.says == 'share' else f'{ratios[name]:9.2f} x {row.says}'
        print(f'  {name:32}{median(values):10.3f} ms {shown}')
    return ratios
