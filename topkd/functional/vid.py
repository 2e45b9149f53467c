"""Variational information, the teacher's map under a Gaussian that the student predicts (Ahn et al. 2019)."""

import torch
from torch import Tensor

from topkd.utils.tensors import full_precision


def gaussian_distance(mean: Tensor, variance: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the mean negative log-likelihood of a map under independent Gaussians, without its constant.

    .. math:: \frac{1}{2 N C H W} \sum_{n, c, h, w}
        \frac{(f_{nchw} - \mu_{nchw})^2}{\sigma_c^2} + \log \sigma_c^2

    Args:
        mean (Tensor): mu, (N, C, H, W).
        variance (Tensor): sigma^2, (C, ), positive.
        teacher (Tensor): f, (N, C, H, W).

    Returns:
        Tensor: Scalar, which may be negative.

    Example:
        >>> gaussian_distance(torch.zeros(1, 1, 2, 2), torch.ones(1), 2 * torch.ones(1, 1, 2, 2))
        tensor(2.)

    Source: the Gaussian of the paper with one variance a channel.
    """
    with torch.autocast(mean.device.type, enabled=False):
        mean, variance, teacher = full_precision(mean), full_precision(variance), full_precision(teacher.detach())
        variance = variance.reshape(1, -1, 1, 1)
        return 0.5 * ((mean - teacher).square() / variance + variance.log()).mean()
