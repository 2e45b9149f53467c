"""Channel-wise distillation: channels as distributions over positions (Shu et al. 2021)."""

from torch import Tensor
from torch.nn import functional as F


def channel_divergence(student: Tensor, teacher: Tensor, tau: float) -> Tensor:
    r"""Compute the divergence of the channels as distributions over positions.

    .. math:: \frac{\tau^2}{N C} \sum_{n, c} \mathrm{KL}(\mathrm{softmax}(f^T_{nc} / \tau)\, \|\,
        \mathrm{softmax}(f^S_{nc} / \tau))

    Args:
        student (Tensor): (N, C, H, W).
        teacher (Tensor): (N, C, H, W).
        tau (float): Temperature.

    Returns:
        Tensor: Scalar.

    Example:
        >>> import torch
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> abs(float(channel_divergence(maps + 1, maps, 1.0))) < 1e-6
        True

    Source: Equation 4.
    """
    count, channels = teacher.shape[:2]
    log_student = F.log_softmax(student.flatten(2) / tau, dim=2)
    log_teacher = F.log_softmax(teacher.flatten(2) / tau, dim=2)
    return tau**2 * F.kl_div(log_student, log_teacher, log_target=True, reduction='sum') / (count * channels)
