#!/usr/bin/env python3
"""What exact topology costs: clouds to images, and the loss of a training step, side by side with what there was.

    python benchmarks/topology.py [--device cuda] [--threads 2] [--repeats 7]

The variants of a row take turns in one process, so that a machine whose speed drifts slows all of them; in a turn each
runs for a twentieth of a second. The table shows medians of the times, and of the ratios within a turn. Calls get
other clouds in turn, because a processor learns repeated ones.
"""
import argparse
import itertools
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

import gudhi
import numpy as np
import torch
from gudhi.representations import PersistenceImage
from gudhi.sklearn.rips_persistence import RipsPersistence
from scipy.cluster.hierarchy import linkage
from torch import Tensor
from torch.nn import functional as F

from topkd.models import RipsNet
from topkd.topology import PersistenceImager, rips_diagrams, rips_h0

WARM_UP = 2
SECONDS_A_TURN = 0.05


class Row(NamedTuple):
    """A row of the table: variants, each a function of a batch of clouds, that are compared with the first one."""
    name: str
    bar: Optional[str]
    clouds: Callable[[], Tensor]
    variants: Dict[str, Callable[[Tensor], object]]
    faster: bool = True  # whether ratios say how many times faster a variant is, or how many times slower


def make_clouds(*shape: int, device: str, count: int = 10) -> Callable[[], Tensor]:
    """Return a function that hands out batches of clouds, Gaussian ones, in turn."""
    generator = torch.Generator().manual_seed(0)
    batches = itertools.cycle([torch.randn(*shape, generator=generator).to(device) for _ in range(count)])
    return lambda: next(batches)


def images_row(name: str, bar: str, shape: Sequence[int], dims: Sequence[int], device: str) -> Row:
    """Compare routes from a batch of clouds to its images."""
    clouds = make_clouds(*shape, device=device, count=3)
    imager = PersistenceImager().fit(rips_diagrams(clouds().cpu(), dims)).to(device)
    spec = imager.spec()
    reference = PersistenceImage(bandwidth=spec['bandwidth'], resolution=spec['resolution'], im_range=spec['im_range'],
                                 weight=lambda p: 10 * np.tanh(p[1]) + 10 * np.log(100 * p[0] + 1))
    reference.fit([np.zeros((1, 2))])

    def route(diagrams: Callable[[np.ndarray], List[np.ndarray]]) -> Callable[[Tensor], np.ndarray]:
        return lambda points: reference.transform(diagrams(points.cpu().double().numpy())) / spec['scale']

    def exact(points: Tensor) -> Tensor:
        with torch.no_grad():
            if dims == (0, ):
                return imager.images_from_deaths(rips_h0(points))
            return imager(rips_diagrams(points, dims))

    variants = {'released': route(lambda points: released_diagrams(points, dims)),
                'gudhi RipsPersistence': route(lambda points: ripser_diagrams(points, dims))}
    if dims == (0, ):
        variants['scipy linkage'] = route(linkage_diagrams)
    variants['topkd'] = exact
    sample = clouds()
    error = np.abs(variants['released'](sample) - exact(sample).cpu().numpy()).max()
    print(f'{name}: images differ by at most {error:.1e}')
    return Row(name, bar, clouds, variants)


def released_diagrams(clouds: np.ndarray, dims: Sequence[int]) -> List[np.ndarray]:
    """Compute diagrams as the released code does."""
    diagrams = []
    for cloud in clouds:
        tree = gudhi.RipsComplex(points=cloud).create_simplex_tree(max_dimension=max(dims) + 1)
        tree.persistence()
        parts = [tree.persistence_intervals_in_dimension(dim).reshape(-1, 2) for dim in dims]
        diagrams.append(finite(np.concatenate(parts)))
    return diagrams


def ripser_diagrams(clouds: np.ndarray, dims: Sequence[int]) -> List[np.ndarray]:
    """Compute diagrams by gudhi's fork of Ripser, with its own threads."""
    rips = RipsPersistence(homology_dimensions=list(dims), n_jobs=torch.get_num_threads())
    return [finite(np.concatenate(parts)) for parts in rips.fit_transform(list(clouds))]


def linkage_diagrams(clouds: np.ndarray) -> List[np.ndarray]:
    """Compute diagrams of dimension 0 as the heights of single linkage."""
    heights = [linkage(cloud, 'single')[:, 2] for cloud in clouds]
    return [np.stack([np.zeros_like(values), values], axis=1) for values in heights]


def finite(diagram: np.ndarray) -> np.ndarray:
    """Leave out essential classes."""
    return diagram[np.isfinite(diagram).all(axis=1)]


def loss_row(name: str, bar: Optional[str], pairs: int, n: int, width: int, device: str) -> Row:
    """Compare forward and backward of the two losses between students' and teachers' clouds, which go in one batch."""
    ripsnet = RipsNet(width).to(device).requires_grad_(False)
    imager = PersistenceImager().fit(rips_diagrams(torch.randn(50, n, width))).to(device)

    def loss(vectorizer: Callable[[Tensor], Tensor]) -> Callable[[Tensor], None]:

        def step(points: Tensor) -> None:
            student = points[:pairs].clone().requires_grad_()
            images = vectorizer(torch.cat([student, points[pairs:]]))
            F.mse_loss(*images.split(pairs)).backward()

        return step

    variants = {'RipsNet': loss(ripsnet), 'topkd': loss(lambda points: imager.images_from_deaths(rips_h0(points)))}
    return Row(name, bar, make_clouds(2 * pairs, n, width, device=device), variants, faster=False)


def timed(function: Callable[[Tensor], object], clouds: Callable[[], Tensor]) -> float:
    """Return the milliseconds of a call, the mean over as many as fit into a turn."""
    begin = time.perf_counter()
    for calls in itertools.count(1):
        points = clouds()
        function(points)
        if points.is_cuda:
            torch.cuda.synchronize()
        elapsed = time.perf_counter() - begin
        if elapsed > SECONDS_A_TURN:
            return 1000 * elapsed / calls


def measure(row: Row, repeats: int) -> None:
    """Print a row: milliseconds a batch of all variants, and their ratios to the first."""
    times: Dict[str, List[float]] = {name: [] for name in row.variants}
    for turn in range(WARM_UP + repeats):
        for name, function in row.variants.items():
            elapsed = timed(function, row.clouds)
            if turn >= WARM_UP:
                times[name].append(elapsed)
    first = next(iter(times.values()))
    print(f"\n{row.name}{f'   (bar: {row.bar})' if row.bar else ''}")
    for name, values in times.items():
        pairs = zip(first, values) if row.faster else zip(values, first)
        ratio = median(a / b for a, b in pairs)
        print(f"  {name:24}{median(values):10.3f} ms {ratio:9.2f} x {'faster' if row.faster else 'the time'}")


def growth(device: str, repeats: int) -> None:
    """Print how the time of deaths grows with the number of points and of clouds."""
    for title, shapes in (('8 clouds of n points of width 64', {2**k: (8, 2**k, 64) for k in range(4, 11)}),
                          ('B clouds of 64 points of width 64', {2**k: (2**k, 64, 64) for k in range(0, 11, 2)})):
        print(f'\nrips_h0, microseconds a cloud, {title}')
        for number, shape in shapes.items():
            clouds = make_clouds(*shape, device=device, count=3)
            values = [timed(rips_h0, clouds) for _ in range(WARM_UP + repeats)][WARM_UP:]
            print(f'  {number:5} {1000 * median(values) / shape[0]:10.1f}')


def describe(device: str) -> str:
    """Return the hardware and the versions, in one line."""
    hardware = torch.cuda.get_device_name() if device == 'cuda' else platform.processor() or platform.machine()
    versions = []
    for package in ('torch', 'gudhi', 'scipy', 'numpy'):
        try:
            versions.append(f'{package} {version(package)}')
        except PackageNotFoundError:
            versions.append(f'{package} not installed')
    return f"{hardware}, {torch.get_num_threads()} threads, Python {platform.python_version()}, {', '.join(versions)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--repeats', type=int, default=7)
    parser.add_argument('--threads', type=int, default=None)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    print(describe(args.device))
    device = args.device
    rows = [
        images_row('64 clouds of 64 points of width 64 to images, H0', '>= 20 x', (64, 64, 64), (0, ), device),
        images_row('8 clouds of 256 points of width 512 to images, H0', '>= 10 x', (8, 256, 512), (0, ), device),
        images_row('64 clouds of 64 points of width 64 to images, H0+1', '>= 10 x', (64, 64, 64), (0, 1), device),
    ]
    for row in rows:
        measure(row, args.repeats)
    for pairs, n, width, bar in ((1, 64, 64, '<= 1.0 x'), (1, 256, 512, '<= 3 x'), (32, 64, 64, None)):
        name = f'loss of {pairs} pair{"s" * (pairs > 1)} of {n} points of width {width}, forward and backward'
        measure(loss_row(name, bar, pairs, n, width, device), args.repeats)
    growth(device, args.repeats)


if __name__ == '__main__':
    main()
