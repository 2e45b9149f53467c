"""What a persistence image costs: RipsNet's operations and parameters, and the time of every route to it (Table 13)."""

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.analysis.cost.released_route import ReleasedRoute
from topkd.analysis.cost.route_times import Route, measure_times
from topkd.models.vectorizers import RipsImage, RipsNet
from topkd.topology import PersistenceImager, rips_diagrams

TRAINING_BATCH = 64
SUMMARIES: dict[str, Callable[[Sequence[float]], float]] = dict(ms=median, ms_least=min, ms_greatest=max)


class CloudSize(NamedTuple):
    """A size of clouds, and what Table 13 says of it if it is one of the paper's.

    Example:
        >>> CloudSize('digits', num_points=64, width=32).paper
        {}
    """

    name: str
    num_points: int
    width: int
    paper: dict[str, float] = {}


PAPER_SIZES = (
    CloudSize('CIFAR-100, ResNet56', 64, 64, dict(flops=1.131e6, gudhi_ms=1.07, training_min=65.75)),
    CloudSize('ImageNet-1K, ResNet34', 256, 512, dict(flops=235.1e6, gudhi_ms=22.83, training_min=24.80)),
)


def ripsnet_flops(network: RipsNet, num_points: int) -> int:
    r"""Count RipsNet's floating-point operations for one cloud as Table 13 does.

    .. math:: 2 \Big( n \sum_{l=1}^{3} d_{l-1} d_l + \sum_{l=4}^{7} d_{l-1} d_l \Big)

    A weight is used by every point in the three layers before the mean, by a cloud once in the four after it, and each
    use is a multiplication and an addition. Biases, activations and the mean itself are not counted. By hand:

    - 64 points of width 64, units 64, 32, 32: n (4,096 + 2,048 + 1,024) = 458,752; 1,600 + 5,000 + 20,000 + 80,000 =
      106,600; twice the sum is 1,130,704;
    - 256 points of width 512, units 512, 256, 256: n (262,144 + 131,072 + 65,536) = 117,440,512; 12,800 + 5,000 +
      20,000 + 80,000 = 117,800; twice the sum is 235,116,624.

    No other usual convention gives the paper's two numbers: multiply-adds are half of them, and the additions of the
    biases alone would make 1.139 M of 1.131 M.

    Args:
        network (RipsNet): Of any widths.
        num_points (int): Points of a cloud, n.

    Returns:
        int: Operations; twice what counters of multiply-adds report.

    Example:
        >>> ripsnet_flops(RipsNet(64), 64)
        1130704

    Source: Table 13: 1.131 M and 235.1 M.
    """
    before, after = (
        sum(layer.get_parameter('weight').numel() for layer in layers)
        for layers in (network.point_layers, network.image_layers)
    )
    return 2 * (num_points * before + after)


def measure_cost(
    size: CloudSize,
    batch_sizes: Sequence[int] = (1, 64),
    repeats: int = 7,
    device: str = 'cpu',
    homology_dims: Sequence[int] = (0,),
    seed: int = 0,
) -> dict[str, Any]:
    """Count and time everything that Table 13 compares, on Gaussian clouds.

    RipsNet has random weights, which its time does not depend on. The exact image goes from the cloud to the image,
    dimension 0 on the device, others through the host. The released route runs on the host in any case.

    Args:
        size (CloudSize): Of the clouds.
        batch_sizes (Sequence[int]): Clouds of a call. Defaults to (1, 64).
        repeats (int): Turns that count. Defaults to 7.
        device (str): Where RipsNet and the exact image run. Defaults to 'cpu'.
        homology_dims (Sequence[int]): Of the images. Defaults to (0, ).
        seed (int): Of clouds and weights. Defaults to 0.

    Returns:
        dict: ``size``, ``units``, ``parameters``, ``flops``; ``ms`` by route, then by clouds of a call, medians of
        milliseconds an image, with ``ms_least`` and ``ms_greatest``; ``training_step_ms`` of RipsNet with 64 clouds;
        and ``difference``, the greatest between pixels of the exact and the released route.

    Example:
        >>> cost = measure_cost(CloudSize('digits', 16, 16), batch_sizes=(1,), repeats=1)
        >>> sorted(cost['ms']), cost['difference'] < 1e-4
        (['RipsNet', 'exact image', 'gudhi, released route'], True)
    """
    generator = torch.Generator().manual_seed(seed)
    sample = torch.randn(max(4, *batch_sizes), size.num_points, size.width, generator=generator)
    spec = PersistenceImager().fit(rips_diagrams(sample[:4], homology_dims)).spec()
    network = _random_network(size.width, homology_dims, seed).to(device)
    exact, released = RipsImage(homology_dims, spec=spec).to(device), ReleasedRoute(spec, homology_dims)
    routes: dict[str, Route] = {
        'RipsNet': torch.no_grad()(network),
        'exact image': torch.no_grad()(exact),
        'gudhi, released route': released,
    }
    result: dict[str, Any] = dict(
        size=size._asdict(),
        units=[size.width, *network.units, 50, 100, 200, 400],
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        flops=ripsnet_flops(network, size.num_points),
        homology_dims=list(homology_dims),
        difference=_difference(exact, released, sample[:4].to(device)),
    )

    def draw(count: int) -> Tensor:
        return torch.randn(count, *sample.shape[1:], generator=generator).to(device)

    result.update(_per_image(routes, {count: [draw(count) for _ in range(3)] for count in batch_sizes}, repeats))
    step: dict[str, Route] = dict(step=training_step(network))
    result['training_step_ms'] = median(measure_times(step, [draw(TRAINING_BATCH)], repeats)['step'])
    return result


def _random_network(width: int, homology_dims: Sequence[int], seed: int) -> RipsNet:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return RipsNet(width, homology_dims=homology_dims)


def _per_image(routes: dict[str, Route], batches: dict[int, list[Tensor]], repeats: int) -> dict[str, Any]:
    """Return milliseconds an image: by summary, by route, and by number of clouds of a call."""
    result: dict[str, Any] = {key: {name: {} for name in routes} for key in SUMMARIES}
    for count, inputs in batches.items():
        for name, values in measure_times(routes, inputs, repeats).items():
            for key, reduce in SUMMARIES.items():
                result[key][name][str(count)] = reduce(values) / count
    return result


def training_step(network: RipsNet) -> Route:
    """Return a function that trains a RipsNet by one step of Adamax on a batch of clouds, towards black images.

    Example:
        >>> step = training_step(RipsNet(16))
        >>> step(torch.randn(2, 64, 16))
    """
    optimizer = torch.optim.Adamax(network.parameters(), lr=5e-4)

    def step(points: Tensor) -> None:
        images = network(points)
        optimizer.zero_grad()
        F.mse_loss(images, torch.zeros_like(images)).backward()
        optimizer.step()

    return step


@torch.no_grad()
def _difference(exact: RipsImage, released: ReleasedRoute, clouds: Tensor) -> float:
    return float(abs(exact(clouds).cpu().numpy() - released(clouds)).max())


def scaled(value: float, digits: int = 4) -> str:
    """Write a count with significant digits and a prefix.

    Args:
        value (float): The count.
        digits (int): Significant digits. Defaults to 4.

    Example:
        >>> scaled(1_130_704)
        '1.131 M'
    """
    factor, prefix = next(
        ((factor, prefix) for factor, prefix in ((1e9, ' G'), (1e6, ' M'), (1e3, ' k')) if value >= factor), (1, '')
    )
    return f'{value / factor:#.{digits}g}{prefix}'
