"""N-to-one matching: several copies of the teacher's map in one map of the student (Liu et al. 2023)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.utils.tensors import full_precision


def copies_distance(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Sum the mean squared differences between N parts of the student's map and the teacher's map.

    .. math:: \sum_{i=1}^{N} \overline{(f_S^{(i)} - f_T)^2}

    Args:
        student (Tensor): (B, N C, H, W), whose part i are the channels i C to (i + 1) C.
        teacher (Tensor): (B, C, H', W'). The larger map is max-pooled to the size of the smaller.

    Returns:
        Tensor: Scalar.

    Example:
        >>> copies_distance(torch.ones(2, 6, 4, 4), torch.zeros(2, 3, 8, 8))
        tensor(2.)

    Source: the loss of the paper with mean squared errors, and max pooling, of the authors' code.
    """
    with torch.autocast(student.device.type, enabled=False):
        student, teacher = full_precision(student), full_precision(teacher.detach())
        size = tuple(min(pair) for pair in zip(student.shape[2:], teacher.shape[2:]))
        student, teacher = (
            maps if tuple(maps.shape[2:]) == size else F.adaptive_max_pool2d(maps, size) for maps in (student, teacher)
        )
        parts = student.unflatten(1, (-1, teacher.shape[1]))
        return parts.shape[1] * (parts - teacher[:, None]).square().mean()
