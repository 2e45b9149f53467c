"""Rows of a table whose variants are timed in turns, so that a machine whose speed drifts slows all of them."""

import itertools
from collections.abc import Callable
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor

from topkd.analysis.cost.route_times import time_in_turns


class Row(NamedTuple):
    """A row: variants, each a function of a batch, that are compared with the first one.

    ``says`` is how: 'faster' (how many times faster a variant is), 'the time' (how many times its time) or 'share' (of
    the first one's time).
    """

    name: str
    bar: str | None
    batches: Callable[[], Any]
    variants: dict[str, Callable[[Any], object]]
    says: str = 'faster'


def make_clouds(*shape: int, device: str, count: int = 10) -> Callable[[], Tensor]:
    """Return a function that hands out batches of clouds, Gaussian ones, in turn: a processor learns repeated ones."""
    generator = torch.Generator().manual_seed(0)
    batches = itertools.cycle([torch.randn(*shape, generator=generator).to(device) for _ in range(count)])
    return lambda: next(batches)


def measure(row: Row, repeats: int) -> dict[str, float]:
    """Print a row: milliseconds of all variants, and their ratios to the first; medians over the turns.

    Returns:
        dict: The ratios.
    """
    times = time_in_turns(row.variants, row.batches, repeats)
    first = next(iter(times.values()))
    print(f'\n{row.name}{f"   (bar: {row.bar})" if row.bar else ""}')
    ratios = {}
    for name, values in times.items():
        ratios[name] = median(b / a if row.says == 'faster' else a / b for a, b in zip(values, first))
        shown = f'{ratios[name]:9.2%} of it' if row.says == 'share' else f'{ratios[name]:9.2f} x {row.says}'
        print(f'  {name:32}{median(values):10.3f} ms {shown}')
    return ratios
