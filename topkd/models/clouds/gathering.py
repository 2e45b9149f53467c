"""Join the points of all processes, with gradient."""

from typing import Any

import torch
from mmengine.dist import all_gather, all_reduce, get_rank, get_world_size
from torch import Tensor


class _Gather(torch.autograd.Function):
    """All-gather along the first dimension; the gradient of every rank flows back to the rank that owns the rows."""

    @staticmethod
    def forward(ctx: Any, points: Tensor) -> Tensor:
        ctx.rows = len(points)
        return torch.cat(all_gather(points.contiguous()))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.contiguous()
        all_reduce(gradient)
        return gradient.narrow(0, get_rank() * ctx.rows, ctx.rows)


def gather(points: Tensor) -> Tensor:
    """Concatenate the points of all ranks, with gradient.

    Every rank then computes the same loss on the same cloud. The backward pass sums the ranks' gradients, and
    DistributedDataParallel averages what arrives at the parameters, so W ranks of m images train exactly as one
    process with W m images.

    Args:
        points (Tensor): (N, d), the same N on every rank.

    Returns:
        Tensor: (W N, d), ordered by rank. Without distributed training, ``points`` itself.

    Example:
        >>> gather(torch.zeros(4, 16)).shape
        torch.Size([4, 16])
    """
    return points if get_world_size() == 1 else _Gather.apply(points)
