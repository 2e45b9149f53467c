"""Networks side by side: everything that can be said of them on one device, measured in turns."""

from collections.abc import Callable, Sequence
from itertools import repeat
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import nn

from topkd.analysis.cost.route_times import time_in_turns
from topkd.analysis.networks.images import ImageSize, prepared
from topkd.analysis.networks.measure import megabytes, operations, parameters, peak_megabytes


class Network(NamedTuple):
    """A network to compare.

    Attributes:
        name (str): As the table says.
        model (nn.Module): The network itself.
        size (ImageSize): Of the images it is measured on.
        metrics (dict[str, float]): What it reached on its test set; empty if it was not evaluated.

    Example:
        >>> Network('net', nn.Linear(1, 1), ImageSize(32, 32), metrics={'accuracy/top1': 70.0}).size.height
        32
    """

    name: str
    model: nn.Module
    size: ImageSize
    metrics: dict[str, float]


def compare(
    networks: Sequence[Network], devices: Sequence[str], batch_sizes: Sequence[int], repeats: int = 7
) -> list[dict[str, Any]]:
    """Measure networks on devices.

    Latency is the time of a prediction of preprocessed images, post-processing included and loading excluded. All
    networks take turns, so that a machine whose speed drifts slows all of them alike.

    Args:
        networks (Sequence[Network]): With different names.
        devices (Sequence[str]): Such as 'cpu' and 'cuda'.
        batch_sizes (Sequence[int]): Images of a prediction.
        repeats (int): Turns that count. Defaults to 7.

    Returns:
        list[dict]: For each network ``name``, ``size``, ``parameters``, ``weights_mb``, ``operations`` (of one image),
        ``metrics``, and by device and batch size ``latency_ms`` as median, least and greatest of a whole batch, and
        ``memory_mb`` besides the weights.
    """
    found = [_sizes(network, devices) for network in networks]
    for device in devices:
        for count in batch_sizes:
            batches = [prepared(network.model.to(device), network.size, count) for network in networks]
            times = _latencies(networks, batches, repeats)
            for row, network, batch in zip(found, networks, batches):
                values = times[network.name]
                row['latency_ms'][device][count] = [median(values), min(values), max(values)]
                row['memory_mb'][device][count] = peak_megabytes(network.model, batch)
    return found


def _sizes(network: Network, devices: Sequence[str]) -> dict[str, Any]:
    """Return what is known of a network without a clock, with places for what is measured on each device."""
    network.model.eval()
    one = prepared(network.model.cpu(), network.size, 1)
    return dict(
        name=network.name,
        size=list(network.size),
        parameters=parameters(network.model),
        weights_mb=megabytes(network.model),
        operations=operations(network.model, one),
        metrics=network.metrics,
        latency_ms={device: {} for device in devices},
        memory_mb={device: {} for device in devices},
    )


@torch.no_grad()
def _latencies(networks: Sequence[Network], batches: Sequence[dict[str, Any]], repeats: int) -> dict[str, list[float]]:
    functions = {network.name: _prediction(network, batch) for network, batch in zip(networks, batches)}
    return time_in_turns(functions, repeat(None).__next__, repeats)


def _prediction(network: Network, batch: dict[str, Any]) -> Callable[[Any], object]:
    return lambda _: network.model(**batch, mode='predict')
