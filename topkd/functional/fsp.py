"""Flow of the solution procedure, Gram matrices between consecutive stages (Yim et al. 2017)."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from topkd.functional.maps import to_equal_size
from topkd.utils.tensors import add_up, full_precision


def flow_matrix(lower: Tensor, upper: Tensor) -> Tensor:
    r"""Compute the Gram matrix between two stages of one network.

    .. math:: G_{ij} = \frac{1}{H W} \sum_{h, w} f^\mathrm{upper}_{ihw}\, f^\mathrm{lower}_{jhw}

    Args:
        lower (Tensor): (N, C, H, W).
        upper (Tensor): (N, C', H', W'). The larger map is average-pooled to the size of the smaller.

    Returns:
        Tensor: (N, C', C).

    Example:
        >>> flow_matrix(torch.ones(1, 2, 4, 4), 3 * torch.ones(1, 1, 2, 2))
        tensor([[[3., 3.]]])

    Source: Equation 1.
    """
    lower, upper = to_equal_size(lower, upper)
    lower, upper = lower.flatten(2), upper.flatten(2)
    return torch.bmm(upper, lower.transpose(1, 2)) / lower.shape[2]


def flow_distance(student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """Sum the mean squared differences of the flow matrices between consecutive maps.

    Args:
        student (Sequence[Tensor]): L >= 2 maps (N, C_l, H_l, W_l), from shallow to deep.
        teacher (Sequence[Tensor]): L maps with the same widths C_l; their sizes may differ.

    Returns:
        Tensor: Scalar.

    Example:
        >>> flow_distance([torch.ones(1, 1, 2, 2)] * 3, [torch.zeros(1, 1, 2, 2)] * 3)
        tensor(2.)

    Source: Equation 2, with the CRD benchmark's mean over the entries of a matrix.
    """
    with torch.autocast(student[0].device.type, enabled=False):
        student = full_precision(student)
        teacher = full_precision([level.detach() for level in teacher])
        return add_up(
            (flow_matrix(*ours) - flow_matrix(*theirs)).square().mean()
            for ours, theirs in zip(pairwise(student), pairwise(teacher))
        )
