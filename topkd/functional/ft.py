"""Factor transfer: the teacher's last map, encoded by an autoencoder (Kim et al. 2018)."""

import torch
from torch import Tensor

from topkd.functional.at import attention_map
from topkd.functional.maps import to_equal_size
from topkd.utils.tensors import full_precision


def factor_distance(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the mean absolute difference of normalized factors.

    .. math:: \frac{1}{N H W} \sum_n \|q(F_S^n) - q(F_T^n)\|_1

    with q as in :func:`topkd.functional.at.attention_map`, p = 2.

    Args:
        student (Tensor): F_S, (N, C, H_S, W_S).
        teacher (Tensor): F_T, (N, C, H_T, W_T). The larger map is average-pooled to the size of the smaller.

    Returns:
        Tensor: Scalar.

    Example:
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> float(factor_distance(maps, 2 * maps)) < 1e-6
        True

    Source: Equation 3 with p = 1; the CRD benchmark normalizes the energy of the positions instead of all entries.
    """
    with torch.autocast(student.device.type, enabled=False):
        student, teacher = to_equal_size(full_precision(student), full_precision(teacher.detach()))
        return (attention_map(student) - attention_map(teacher)).abs().mean()
