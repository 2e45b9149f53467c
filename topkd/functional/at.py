"""Attention transfer: the energy of every position of a map (Zagoruyko and Komodakis 2017)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.functional.maps import to_equal_size
from topkd.utils.tensors import full_precision


def attention_map(features: Tensor, p: float = 2) -> Tensor:
    r"""Compute the normalized energy of every position.

    .. math:: q = a / \|a\|_2, \quad a_{hw} = \frac{1}{C} \sum_c |f_{chw}|^p

    Args:
        features (Tensor): (N, C, H, W).
        p (float): Power. Defaults to 2.

    Returns:
        Tensor: (N, H W), rows of length 1; 0 for a map of zeros.

    Example:
        >>> attention_map(torch.tensor([[[[3.0, 0.0], [0.0, 0.0]]]]))
        tensor([[1., 0., 0., 0.]])
    """
    energy = features.square() if p == 2 else features.abs().pow(p)
    return F.normalize(energy.mean(dim=1).flatten(1))


def attention_distance(student: Tensor, teacher: Tensor, p: float = 2) -> Tensor:
    r"""Compute the mean squared difference of the attention maps of one stage.

    .. math:: \frac{1}{N H W} \sum_n \|q_S^n - q_T^n\|_2^2

    Args:
        student (Tensor): (N, C_S, H_S, W_S).
        teacher (Tensor): (N, C_T, H_T, W_T). The larger map is average-pooled to the size of the smaller.
        p (float): Power. Defaults to 2.

    Returns:
        Tensor: Scalar.

    Example:
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> float(attention_distance(maps, 5 * maps)) < 1e-12
        True

    Source: Equation 2, with the CRD benchmark's means instead of sums.
    """
    with torch.autocast(student.device.type, enabled=False):
        student, teacher = to_equal_size(full_precision(student), full_precision(teacher.detach()))
        return (attention_map(student, p) - attention_map(teacher, p)).square().mean()
