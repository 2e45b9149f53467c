#!/usr/bin/env python3
"""What exact topology costs: clouds to images, losses, training steps and memory, side by side with what there was.

    python benchmarks/topology.py [--device cuda] [--threads 2] [--repeats 7] [--memory [--folder /tmp]]

The variants of a row take turns in one process, so that a machine whose speed drifts slows all of them; in a turn each
runs for a twentieth of a second. The table shows medians of the times, and of the ratios within a turn. Calls get
other clouds in turn, because a processor learns repeated ones. --memory adds the peak memory for 200,000 clouds, which
takes minutes and 4 GB of disk.
"""

import argparse
import platform
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from statistics import median

import numpy as np
import torch
from diagram_routes import Route, other_routes
from memory import measure_memory
from torch import Tensor
from torch.nn import functional as F
from training_steps import ripsnet_row, share_row
from turns import Row, make_clouds, measure

from topkd.analysis.cost.released_route import ReleasedRoute
from topkd.analysis.cost.route_times import time_in_turns
from topkd.models import RipsNet
from topkd.topology import PersistenceImager, rips_diagrams, rips_h0


def images_row(name: str, bar: str, shape: Sequence[int], dims: Sequence[int], device: str) -> Row:
    """Compare routes from a batch of clouds to its images."""
    clouds = make_clouds(*shape, device=device, count=3)
    imager = PersistenceImager().fit(rips_diagrams(clouds().cpu(), dims)).to(device)
    released = ReleasedRoute(imager.spec(), dims)

    def images_by(route: Route) -> Callable[[Tensor], np.ndarray]:
        return lambda points: released.image.transform(route(points.cpu().double().numpy())) / released.scale

    def exact(points: Tensor) -> Tensor:
        with torch.no_grad():
            if dims == (0,):
                return imager.images_from_clouds(points)
            return imager(rips_diagrams(points, dims))

    variants = {
        'released': released,
        **{title: images_by(route) for title, route in other_routes(dims).items()},
        'topkd': exact,
    }
    sample = clouds()
    expected = released(sample)
    for title, variant in variants.items():
        found = variant(sample)
        error = np.abs(expected - (found.cpu().numpy() if isinstance(found, Tensor) else found)).max()
        if error > 1e-4:
            raise AssertionError(f'{name}: images by {title} differ from the released ones by {error:.1e}')
    print(f'{name}: images of topkd differ from the released ones by at most {error:.1e}')
    return Row(name, bar, clouds, variants)


def loss_row(name: str, bar: str | None, pairs: int, n: int, width: int, device: str) -> Row:
    """Compare forward and backward of the two losses between students' and teachers' clouds, which go in one batch."""
    ripsnet = RipsNet(width).to(device).requires_grad_(False)
    imager = PersistenceImager().fit(rips_diagrams(torch.randn(50, n, width))).to(device)

    def loss(vectorizer: Callable[[Tensor], Tensor]) -> Callable[[Tensor], None]:

        def step(points: Tensor) -> None:
            student = points[:pairs].clone().requires_grad_()
            images = vectorizer(torch.cat([student, points[pairs:]]))
            F.mse_loss(*images.split(pairs)).backward()

        return step

    variants = {'RipsNet': loss(ripsnet), 'topkd': loss(imager.images_from_clouds)}
    return Row(name, bar, make_clouds(2 * pairs, n, width, device=device), variants, 'the time')


def growth(device: str, repeats: int) -> None:
    """Print how the time of deaths grows with the number of points and of clouds."""
    for title, shapes in (
        ('8 clouds of n points of width 64', {2**k: (8, 2**k, 64) for k in range(4, 11)}),
        ('B clouds of 64 points of width 64', {2**k: (2**k, 64, 64) for k in range(0, 11, 2)}),
    ):
        print(f'\nrips_h0, microseconds a cloud, {title}')
        for number, shape in shapes.items():
            clouds = make_clouds(*shape, device=device, count=3)
            times = time_in_turns(dict(rips_h0=rips_h0), clouds, repeats)['rips_h0']
            print(f'  {number:5} {1000 * median(times) / shape[0]:10.1f}')


def describe(device: str) -> str:
    """Return the hardware and the versions, in one line."""
    hardware = torch.cuda.get_device_name() if device == 'cuda' else platform.processor() or platform.machine()
    versions = []
    for package in ('torch', 'gudhi', 'scipy', 'numpy'):
        try:
            versions.append(f'{package} {version(package)}')
        except PackageNotFoundError:
            versions.append(f'{package} not installed')
    return f'{hardware}, {torch.get_num_threads()} threads, Python {platform.python_version()}, {", ".join(versions)}'


def rows_of_clouds(device: str) -> list[Row]:
    """Return the rows about clouds alone."""
    rows = [
        images_row('64 clouds of 64 points of width 64 to images, H0', '>= 20 x', (64, 64, 64), (0,), device),
        images_row('8 clouds of 256 points of width 512 to images, H0', '>= 10 x', (8, 256, 512), (0,), device),
        images_row('64 clouds of 64 points of width 64 to images, H0+1', '>= 10 x', (64, 64, 64), (0, 1), device),
    ]
    for pairs, n, width, bar in ((1, 64, 64, '<= 1.0 x'), (1, 256, 512, '<= 3 x'), (32, 64, 64, None)):
        name = f'loss of {pairs} pair{"s" * (pairs > 1)} of {n} points of width {width}, forward and backward'
        rows.append(loss_row(name, bar, pairs, n, width, device))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--repeats', type=int, default=7)
    parser.add_argument('--threads', type=int, default=None)
    parser.add_argument('--memory', action='store_true', help='measure the peak memory for 200,000 clouds too')
    parser.add_argument(
        '--folder', default=tempfile.gettempdir(), help='where --memory puts 4 GB (default: %(default)s)'
    )
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    print(describe(args.device))
    for row in rows_of_clouds(args.device):
        measure(row, args.repeats)
    for make in (share_row, ripsnet_row):
        with tempfile.TemporaryDirectory() as folder:
            measure(make(folder, args.device), args.repeats)
    growth(args.device, args.repeats)
    if args.memory:
        measure_memory(200_000, args.folder)


if __name__ == '__main__':
    main()
