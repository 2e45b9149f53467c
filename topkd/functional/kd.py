"""Softened logits (Hinton et al. 2015), as they are or standardized (Sun et al. 2024)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.functional.logits import check_same_classes

EPS = 1e-7  # beside the standard deviation, in the authors' code


def kd_divergence(student_logits: Tensor, teacher_logits: Tensor, tau: float) -> Tensor:
    r"""Compute the divergence of softened predictions.

    .. math:: \tau^2\, \mathrm{KL}(\mathrm{softmax}(z_T / \tau)\, \|\, \mathrm{softmax}(z_S / \tau))

    Args:
        student_logits (Tensor): z_S, (N, K).
        teacher_logits (Tensor): z_T, (N, K).
        tau (float): Temperature.

    Returns:
        Tensor: Mean over the batch, scalar; 0 for an empty batch.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> kd_divergence(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0]]), tau=4.0)
        tensor(0.)

    Source: Equation 5.
    """
    check_same_classes(student_logits, teacher_logits)
    with torch.autocast(student_logits.device.type, enabled=False):
        log_student = F.log_softmax(student_logits.float() / tau, dim=1)
        log_teacher = F.log_softmax(teacher_logits.float() / tau, dim=1)
        divergence = F.kl_div(log_student, log_teacher, log_target=True, reduction='sum')
        return tau**2 * divergence / max(len(student_logits), 1)


def standardized(logits: Tensor) -> Tensor:
    r"""Subtract the mean over the classes and divide by the standard deviation.

    .. math:: (z - \bar z) / (\sigma(z) + 10^{-7})

    Args:
        logits (Tensor): z, (N, K) with K of 2 or more; sigma is the sample standard deviation.

    Returns:
        Tensor: (N, K) in full precision; 0 for equal logits.

    Example:
        >>> standardized(torch.tensor([[1.0, 2.0, 3.0]]))
        tensor([[-1.0000,  0.0000,  1.0000]])

    Source: Sun et al., Logit Standardization in Knowledge Distillation, Equation 6; eps from the authors' code.
    """
    centered = logits.float() - logits.float().mean(dim=1, keepdim=True)
    variance = centered.square().sum(dim=1, keepdim=True) / (logits.shape[1] - 1)
    # the root of 0 has no gradient
    deviation = torch.where(variance > 0, variance.clamp_min(torch.finfo(variance.dtype).tiny).sqrt(), 0)
    return centered / (deviation + EPS)
