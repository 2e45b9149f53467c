"""Softened logits (Hinton et al. 2015)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.models.losses.distillation_loss import DistillationLoss
from topkd.registry import MODELS


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

    Source: Equation 5.
    """
    if student_logits.shape != teacher_logits.shape:
        raise ValueError(
            f'student and teacher must have the same classes, got logits {tuple(student_logits.shape)} and '
            f'{tuple(teacher_logits.shape)}: use a teacher of the same data set, or drop the KD loss'
        )
    with torch.autocast(student_logits.device.type, enabled=False):
        log_student = F.log_softmax(student_logits.float() / tau, dim=1)
        log_teacher = F.log_softmax(teacher_logits.float() / tau, dim=1)
        divergence = F.kl_div(log_student, log_teacher, log_target=True, reduction='sum')
        return tau**2 * divergence / max(len(student_logits), 1)


@MODELS.register_module()
class KDLoss(DistillationLoss):
    """Match the teacher's softened logits.

    Args:
        tau (float): Temperature. Defaults to 4.0.
        loss_weight (float): The paper's beta. Defaults to 1.0.
        student_tap (str): Module that returns the logits. Defaults to 'head.fc', mmpretrain's linear classifier.
        teacher_tap (str): The same for the teacher. Defaults to 'head.fc'.
    """

    def __init__(
        self, tau: float = 4.0, loss_weight: float = 1.0, student_tap: str = 'head.fc', teacher_tap: str = 'head.fc'
    ) -> None:
        super().__init__(student_tap, teacher_tap, loss_weight)
        if tau <= 0:
            raise ValueError(f'tau must be positive, got {tau}')
        self.tau = tau

    def forward(
        self, student_logits: Tensor, teacher_logits: Tensor, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of logits (N, K) and (N, K)."""
        return self.loss_weight * kd_divergence(student_logits, teacher_logits, self.tau)
