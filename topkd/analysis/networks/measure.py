"""Size, operations and memory of a network for one batch of images."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode


def parameters(model: nn.Module) -> int:
    """Count the entries of all parameters of a model.

    Args:
        model (nn.Module): Any.

    Returns:
        int: Their number.

    Example:
        >>> parameters(nn.Linear(3, 2))
        8
    """
    return sum(parameter.numel() for parameter in model.parameters())


def megabytes(model: nn.Module) -> float:
    """Return what the parameters and buffers of a model occupy, in units of 10^6 bytes.

    Args:
        model (nn.Module): Any.

    Example:
        >>> megabytes(nn.Linear(999, 1000))
        4.0
    """
    tensors = [*model.parameters(), *model.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors) / 1e6


@torch.no_grad()
def operations(model: nn.Module, batch: dict[str, Any]) -> int:
    """Count the floating-point operations of a prediction, by PyTorch's own counter.

    A multiplication and an addition are two; what is not a matrix product or a convolution is not counted.

    Args:
        model (nn.Module): A classifier or detector in the MMEngine style, in eval mode.
        batch (dict): Preprocessed ``inputs`` and ``data_samples``, see
            :func:`topkd.analysis.networks.images.prepared`.

    Returns:
        int: Operations of the whole batch.

    Example:
        >>> class Toy(nn.Linear):
        ...     def forward(self, inputs, data_samples, mode):
        ...         return super().forward(inputs)
        >>> operations(Toy(3, 2), dict(inputs=torch.zeros(4, 3), data_samples=None))
        48
    """
    with FlopCounterMode(display=False) as counter:
        model(**batch, mode='predict')
    return counter.get_total_flops()


@torch.no_grad()
def peak_megabytes(model: nn.Module, batch: dict[str, Any]) -> float:
    """Return the most memory that a prediction needs besides the weights and the images, in units of 10^6 bytes.

    Args:
        model (nn.Module): See :func:`operations`; the device is that of its weights.
        batch (dict): See :func:`operations`.

    Example:
        >>> class Toy(nn.Linear):
        ...     def forward(self, inputs, data_samples, mode):
        ...         return super().forward(inputs)
        >>> peak_megabytes(Toy(3, 250), dict(inputs=torch.zeros(1000, 3), data_samples=None))
        1.0
    """
    inputs: Tensor = batch['inputs']
    if inputs.is_cuda:
        torch.cuda.synchronize(inputs.device)
        before = torch.cuda.memory_allocated(inputs.device)
        torch.cuda.reset_peak_memory_stats(inputs.device)
        model(**batch, mode='predict')
        torch.cuda.synchronize(inputs.device)
        return (torch.cuda.max_memory_allocated(inputs.device) - before) / 1e6
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        model(**batch, mode='predict')
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == '[memory]']
    held = peak = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak / 1e6
