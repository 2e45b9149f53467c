"""Masked generative distillation: rebuild the teacher's map from a part of the student's (Yang et al. 2022)."""

import torch
from torch import Tensor


def generation_distance(generated: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the squared error of a generated map.

    .. math:: \frac{1}{N} \sum_{n, c, h, w} (g_{nchw} - f^T_{nchw})^2

    Args:
        generated (Tensor): g, (N, C, H, W).
        teacher (Tensor): f^T, (N, C, H, W).

    Returns:
        Tensor: Scalar.

    Example:
        >>> float(generation_distance(torch.ones(2, 3, 2, 2), torch.zeros(2, 3, 2, 2)))
        12.0

    Source: Equation 4.
    """
    return (generated - teacher).float().square().sum() / len(teacher)


def random_mask(features: Tensor, ratio: float, mask: str) -> Tensor:
    """Draw which channels or positions of every map are kept.

    Args:
        features (Tensor): (N, C, H, W).
        ratio (float): Probability of being masked.
        mask (str): ``'channels'`` or ``'positions'``.

    Returns:
        Tensor: Of 0 and 1, (N, C, 1, 1) or (N, 1, H, W).

    Example:
        >>> random_mask(torch.rand(2, 16, 8, 8), ratio=0.0, mask='channels').shape
        torch.Size([2, 16, 1, 1])

    Source: Equation 2.
    """
    count, channels, height, width = features.shape
    shape = (count, channels, 1, 1) if mask == 'channels' else (count, 1, height, width)
    return (torch.rand(shape, device=features.device) >= ratio).to(features.dtype)
