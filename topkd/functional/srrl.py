"""Softmax regression representation, the student's feature in the teacher's classifier (Yang et al. 2021)."""

import torch
from torch import Tensor, nn

from topkd.utils.tensors import full_precision


def pooled(features: Tensor) -> Tensor:
    """Average maps (N, C, H, W) to vectors (N, C); leave vectors as they are.

    Example:
        >>> pooled(torch.ones(2, 3, 4, 4)).shape
        torch.Size([2, 3])
    """
    return features.flatten(2).mean(dim=2) if features.ndim == 4 else features


def regression_distance(student: Tensor, teacher: Tensor, classifier: nn.Module) -> Tensor:
    r"""Compute the mean squared differences of two features and of what one classifier says of them.

    .. math:: \frac{1}{N C} \|s - t\|_2^2 + \frac{1}{N K} \|h_T(s) - h_T(t)\|_2^2

    Args:
        student (Tensor): s, (N, C).
        teacher (Tensor): t, (N, C).
        classifier (nn.Module): The teacher's h_T, from (N, C) to (N, K).

    Returns:
        Tensor: Scalar.

    Example:
        >>> regression_distance(torch.ones(2, 3), torch.zeros(2, 3), nn.Flatten())
        tensor(2.)

    Source: feature matching and softmax regression of the paper, the latter as the squared distance of the logits.
    """
    with torch.autocast(student.device.type, enabled=False):
        student, teacher = full_precision(student), full_precision(teacher.detach())
        logits = (classifier(student) - classifier(teacher)).square().mean()
        return (student - teacher).square().mean() + logits
