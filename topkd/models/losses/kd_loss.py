"""Softened logits (Hinton et al. 2015), as they are or standardized (Sun et al. 2024)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe, single
from topkd.models.losses.logits import check_logits, check_same_classes
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.checks import flag, number

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


@MODELS.register_module()
class KDLoss(DistillationLoss):
    """Match the teacher's softened logits.

    Args:
        tau (float): Temperature. Defaults to 4.0.
        standardize (bool): Whether the logits are standardized before they are softened, so that the student need not
            match their mean and scale. Defaults to False.
        loss_weight (float): The paper's beta. Defaults to 1.0.
        student_tap (str): Module that returns the logits. Defaults to 'head.fc', mmpretrain's linear classifier.
        teacher_tap (str): The same for the teacher. Defaults to 'head.fc'.

    Example:
        >>> logits = torch.tensor([[1.0, 2.0, 4.0]])
        >>> float(KDLoss()(logits, logits)), abs(float(KDLoss(standardize=True)(logits, 3 * logits))) < 1e-5
        (0.0, True)

    Source: Hinton et al., Distilling the Knowledge in a Neural Network; Sun et al., Logit Standardization in Knowledge
    Distillation, CVPR 2024.
    """

    static = True

    def __init__(
        self,
        tau: float = 4.0,
        standardize: bool = False,
        loss_weight: float = 1.0,
        student_tap: str = 'head.fc',
        teacher_tap: str = 'head.fc',
    ) -> None:
        super().__init__(student_tap, teacher_tap, loss_weight)
        self.tau = number('tau', tau, above=0)
        self.standardize = flag('standardize', standardize)

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Refuse taps without logits and networks of different classes, see :func:`check_logits`."""
        check_logits(self, probe)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of logits (N, K) and (N, K)."""
        student, teacher = single(student_features), single(teacher_features)
        check_same_classes(student, teacher)
        if self.standardize:
            with torch.autocast(student.device.type, enabled=False):
                student, teacher = standardized(student), standardized(teacher)
        return self.loss_weight * kd_divergence(student, teacher, self.tau)
