"""Distillation of detectors by the correlation of normalized maps (PKD, Cao et al. 2022)."""

import torch
from torch import Tensor

EPS = 1e-6  # beside the standard deviation, in the authors' code


def normalized(features: Tensor) -> Tensor:
    r"""Normalize every channel over the batch and all positions.

    .. math:: (f_c - \mu_c) / (\sigma_c + 10^{-6})

    Args:
        features (Tensor): (N, C, H, W); sigma is the sample standard deviation.

    Returns:
        Tensor: (N, C, H, W); 0 for a constant channel.

    Example:
        >>> normalized(torch.tensor([1.0, 2.0, 3.0]).reshape(1, 1, 1, 3)).flatten()
        tensor([-1.0000,  0.0000,  1.0000])

    Source: Section 3.2.
    """
    centered = features - features.mean(dim=(0, 2, 3), keepdim=True)
    count = features.numel() // features.shape[1]
    variance = centered.square().sum(dim=(0, 2, 3), keepdim=True) / max(count - 1, 1)
    # the root of 0 has no gradient
    deviation = torch.where(variance > 0, variance.clamp_min(torch.finfo(variance.dtype).tiny).sqrt(), 0)
    return centered / (deviation + EPS)


def correlation_distance(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute half the mean squared difference of normalized maps, which is one minus their correlation.

    .. math:: \frac{1}{2}\, \overline{(\hat f_S - \hat f_T)^2}

    Args:
        student (Tensor): (N, C, H, W).
        teacher (Tensor): (N, C, H, W).

    Returns:
        Tensor: Scalar.

    Example:
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> float(correlation_distance(5 * maps + 1, maps)) < 1e-6
        True

    Source: Equation 2.
    """
    return (normalized(student) - normalized(teacher)).square().mean() / 2
