"""Overhauled feature distillation, maps before the ReLU with a margin for negative values (Heo et al. 2019)."""

import math

import torch
from torch import Tensor

from topkd.functional.maps import to_equal_size
from topkd.utils.tensors import full_precision

SMALLEST_SHARE = 0.001


def negative_mean(weight: Tensor, bias: Tensor) -> Tensor:
    r"""Compute the mean of the negative part of what a batch normalization returns.

    .. math:: m_c = \mathrm{E}[x \mid x < 0] = \beta_c - |\gamma_c|\,
        \frac{\varphi(\beta_c / |\gamma_c|)}{\Phi(-\beta_c / |\gamma_c|)}, \quad
        x \sim \mathcal{N}(\beta_c, \gamma_c^2)

    Args:
        weight (Tensor): gamma, (C, ).
        bias (Tensor): beta, (C, ).

    Returns:
        Tensor: (C, ), not positive; -3 abs(gamma) where less than 0.1 % of the values are negative.

    Example:
        >>> negative_mean(torch.ones(1), torch.zeros(1))
        tensor([-0.7979])

    Source: the margin of the paper; the exception from the authors' code.
    """
    scale, center = weight.double().abs().clamp_min(1e-12), bias.double()
    ratio = center / scale
    share = 0.5 * torch.erfc(ratio / math.sqrt(2))
    density = torch.exp(-ratio.square() / 2) / math.sqrt(2 * math.pi)
    inside = center - scale * density / share.clamp_min(SMALLEST_SHARE)
    return torch.where(share > SMALLEST_SHARE, inside, -3 * scale).to(weight.dtype)


def partial_distance(student: Tensor, teacher: Tensor, margins: Tensor) -> Tensor:
    r"""Sum the squared differences, except where the teacher is negative and the student below it.

    .. math:: \frac{1}{N} \sum_{n, c, h, w} [s > t \lor t > 0]\,(s - t)^2, \quad t = \max(f_T, m_c)

    Args:
        student (Tensor): s, (N, C, H, W).
        teacher (Tensor): f_T, (N, C, H', W'). The larger map is average-pooled to the size of the smaller.
        margins (Tensor): m, (C, ).

    Returns:
        Tensor: Sum over channels and positions, mean over the batch, scalar.

    Example:
        >>> student = torch.tensor([-3.0, 0.0, 1.0]).reshape(1, 3, 1, 1)
        >>> teacher = torch.tensor([-2.0, -2.0, 3.0]).reshape(1, 3, 1, 1)
        >>> partial_distance(student, teacher, torch.full((3,), -1.0))
        tensor(5.)

    Source: the partial L2 distance of the paper, in the form of the authors' code.
    """
    with torch.autocast(student.device.type, enabled=False):
        student, teacher = to_equal_size(full_precision(student), full_precision(teacher.detach()))
        target = torch.maximum(teacher, margins.to(teacher).reshape(1, -1, 1, 1))
        counts = (student > target) | (target > 0)
        return torch.where(counts, (student - target).square(), 0).sum() / len(student)
