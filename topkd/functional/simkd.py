"""The reused teacher classifier, which reads the student's projected map (Chen et al. 2022)."""

import torch
from torch import Tensor

from topkd.functional.maps import to_equal_size
from topkd.utils.tensors import full_precision


def projection_distance(projected: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the mean squared difference of the projected map and the teacher's.

    .. math:: \frac{1}{N C H W} \|P(f_S) - f_T\|_2^2

    Args:
        projected (Tensor): P(f_S), (N, C, H, W).
        teacher (Tensor): f_T, (N, C, H', W'). The larger map is average-pooled to the size of the smaller.

    Returns:
        Tensor: Scalar.

    Example:
        >>> projection_distance(torch.zeros(1, 2, 2, 2), 3 * torch.ones(1, 2, 4, 4))
        tensor(9.)

    Source: the feature alignment of the paper, with the mean of the authors' code.
    """
    with torch.autocast(projected.device.type, enabled=False):
        projected, teacher = to_equal_size(full_precision(projected), full_precision(teacher.detach()))
        return (projected - teacher).square().mean()
