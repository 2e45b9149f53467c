"""Maps of equal size, for losses that compare them position by position."""

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.utils.tensors import full_precision


def to_equal_size(student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Average-pool the larger of two maps to the size of the smaller, height and width each for itself.

    Args:
        student (Tensor): (N, C_S, H_S, W_S).
        teacher (Tensor): (N, C_T, H_T, W_T).

    Returns:
        tuple[Tensor, Tensor]: (N, C_S, H, W) and (N, C_T, H, W) with H = min(H_S, H_T), W = min(W_S, W_T).

    Example:
        >>> student, teacher = to_equal_size(torch.ones(2, 4, 8, 8), torch.ones(2, 6, 4, 4))
        >>> student.shape, teacher.shape
        (torch.Size([2, 4, 4, 4]), torch.Size([2, 6, 4, 4]))
    """
    size = (min(student.shape[2], teacher.shape[2]), min(student.shape[3], teacher.shape[3]))
    if tuple(student.shape[2:]) != size:
        student = F.adaptive_avg_pool2d(student, size)
    if tuple(teacher.shape[2:]) != size:
        teacher = F.adaptive_avg_pool2d(teacher, size)
    return student, teacher


def mean_squared_difference(student: Tensor, teacher: Tensor) -> Tensor:
    """Compute the mean squared difference of two maps in full precision, without a gradient to the teacher's.

    Args:
        student (Tensor): (N, C, H, W).
        teacher (Tensor): (N, C, H', W'). The larger map is average-pooled to the size of the smaller.

    Returns:
        Tensor: Scalar.

    Example:
        >>> mean_squared_difference(torch.zeros(1, 2, 2, 2), 3 * torch.ones(1, 2, 4, 4))
        tensor(9.)
    """
    with torch.autocast(student.device.type, enabled=False):
        student, teacher = to_equal_size(full_precision(student), full_precision(teacher.detach()))
        return (student - teacher).square().mean()
