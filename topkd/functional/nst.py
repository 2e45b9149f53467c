"""Neuron selectivity, the distribution of the channels' activation patterns (Huang and Wang 2017)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.functional.maps import to_equal_size
from topkd.utils.tensors import full_precision


def mean_kernel(first: Tensor, second: Tensor) -> Tensor:
    r"""Compute the mean of the polynomial kernel over all pairs of channels of the same image.

    .. math:: \frac{1}{N C C'} \sum_{n, i, j} (x_{ni}^\top y_{nj})^2

    Args:
        first (Tensor): x, (N, C, P).
        second (Tensor): y, (N, C', P).

    Returns:
        Tensor: Scalar.

    Example:
        >>> mean_kernel(torch.eye(2)[None], torch.eye(2)[None])
        tensor(0.5000)
    """
    return torch.bmm(first, second.transpose(1, 2)).square().mean()


def selectivity_distance(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the squared maximum mean discrepancy of the normalized channels of one stage.

    .. math:: \overline{k}(x_T, x_T) + \overline{k}(x_S, x_S) - 2\, \overline{k}(x_S, x_T), \quad
        x_c = f_c / \|f_c\|_2,\ k(x, y) = (x^\top y)^2

    Args:
        student (Tensor): (N, C_S, H_S, W_S).
        teacher (Tensor): (N, C_T, H_T, W_T). The larger map is average-pooled to the size of the smaller.

    Returns:
        Tensor: Scalar.

    Example:
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> abs(float(selectivity_distance(maps, maps.flip(1)))) < 1e-6
        True

    Source: the squared MMD of the paper with its polynomial kernel of degree 2 and offset 0.
    """
    with torch.autocast(student.device.type, enabled=False):
        student, teacher = to_equal_size(full_precision(student), full_precision(teacher.detach()))
        student, teacher = F.normalize(student.flatten(2), dim=2), F.normalize(teacher.flatten(2), dim=2)
        return mean_kernel(teacher, teacher) + mean_kernel(student, student) - 2 * mean_kernel(student, teacher)
