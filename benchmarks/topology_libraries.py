#!/usr/bin/env python3
"""topkd.topology beside gudhi, ripser.py and torch_topological, on point clouds as their examples show them.

    python benchmarks/topology_libraries.py [--clouds 16] [--points 100] [--threads 1] [--repeats 7]

Diagrams of dimensions 0 and 1, their gradients, and exact Wasserstein distances between diagrams of dimension 1. What
is not installed is left out: pip install ripser torch_topological POT. Values are compared before times: diagrams by
their bottleneck distance. The variants of a row take turns in one process; the table says how many times faster a
library is than the first of its row.
"""

import argparse
import itertools
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import torch
from cloud_sets import SETS, batches
from gudhi import bottleneck_distance
from library_routes import Diagrams, diagram_routes, distance_routes, gradient_routes
from turns import Row, measure

from topkd.topology import rips_diagrams

TOLERANCE = 1e-2  # some libraries compute distances by matrix products of float32


def rows(name: str, draw: Callable, count: int, n: int) -> list[Row]:
    """Return the rows of one set of clouds, after a comparison of all values."""
    clouds = batches(draw, count, n)
    sample = clouds()
    diagrams, gradients, distances = diagram_routes(), gradient_routes(), distance_routes()
    cycles = itertools.cycle([rips_diagrams(clouds(), (1,)) for _ in range(3)]).__next__
    pairs = cycles()
    for routes, argument, difference in (
        (diagrams, sample, between_diagrams),
        (gradients, sample, largest),
        (distances, pairs, largest),
    ):
        expected = next(iter(routes.values()))(argument)
        errors = {title: difference(expected, route(argument)) for title, route in list(routes.items())[1:]}
        print(f'{name}, largest difference from {next(iter(routes))}:', {t: f'{e:.0e}' for t, e in errors.items()})
        if not all(error <= TOLERANCE for error in errors.values()):
            raise AssertionError(f'{name}: the libraries do not agree: {errors}')
    what = f'{count} clouds of {n} points, {name}'
    return [
        Row(f'{what}: diagrams of dimensions 0 and 1', None, clouds, diagrams),
        Row(f'{what}: gradient of total persistence', None, clouds, gradients),
        Row(f'{what}: {count // 2} Wasserstein distances, dimension 1', None, cycles, distances),
    ]


def between_diagrams(one: Diagrams, other: Diagrams) -> float:
    """Return the largest bottleneck distance between the diagrams of one library and those of the other."""
    pairs = itertools.chain.from_iterable(zip(*parts, strict=True) for parts in zip(one, other, strict=True))
    return max(bottleneck_distance(a, b) for a, b in pairs)


def largest(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest difference."""
    return float(np.abs(np.asarray(one) - np.asarray(other)).max())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--clouds', type=int, default=16, help='at once, an even number')
    parser.add_argument('--points', type=int, default=100)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--repeats', type=int, default=7)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for package in ('topkd', 'gudhi', 'ripser', 'torch_topological', 'POT', 'torch'):
        try:
            print(package, version(package))
        except PackageNotFoundError:
            print(package, 'is no installed package')
    for name, draw in SETS.items():
        for row in rows(name, draw, args.clouds, args.points):
            measure(row, args.repeats)


if __name__ == '__main__':
    main()
