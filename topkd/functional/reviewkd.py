"""Knowledge review: the student's maps, each fused with all deeper ones (Chen et al. 2021)."""

from torch import Tensor
from torch.nn import functional as F

CELLS = (4, 2, 1)  # of the pooled comparisons


def context_distance(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the hierarchical context loss of one pair of maps.

    .. math:: \frac{\sum_l w_l\, \overline{(P_l(f_S) - P_l(f_T))^2}}{\sum_l w_l}

    where P_0 is the map itself with weight 1, and the others its average pooling to 4 x 4, 2 x 2 and 1 x 1 cells with
    weights 1/2, 1/4 and so on; poolings that are not smaller than the map are left out.

    Args:
        student (Tensor): (N, C, H, W).
        teacher (Tensor): (N, C, H, W).

    Returns:
        Tensor: Scalar.

    Example:
        >>> import torch
        >>> float(context_distance(torch.ones(1, 2, 8, 8), torch.zeros(1, 2, 8, 8)))
        1.0

    Source: Section 3.3; weights of the authors' code.
    """
    weight = total = 1.0
    value = F.mse_loss(student, teacher)
    for cells in CELLS:
        if cells >= student.shape[2]:
            continue
        weight /= 2
        value = value + weight * F.mse_loss(
            F.adaptive_avg_pool2d(student, cells), F.adaptive_avg_pool2d(teacher, cells)
        )
        total += weight
    return value / total
