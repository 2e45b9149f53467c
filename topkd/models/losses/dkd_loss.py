"""Decoupled knowledge distillation: the target class apart from all others (Zhao et al. 2022)."""

from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe, single
from topkd.models.losses.labels import labels_of
from topkd.models.losses.logits import check_logits, check_same_classes
from topkd.models.losses.warmup import warmup_factor
from topkd.models.teacher import Teacher
from topkd.registry import MODELS


def decoupled_divergences(
    student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, tau: float
) -> tuple[Tensor, Tensor]:
    r"""Compute the divergences of the target class against the rest, and among the rest.

    .. math:: \mathrm{TCKD} = \tau^2\, \mathrm{KL}(b_T \| b_S), \quad b = (p_y, 1 - p_y), \qquad
        \mathrm{NCKD} = \tau^2\, \mathrm{KL}(\hat p_T \| \hat p_S), \quad \hat p_k = p_k / (1 - p_y),\ k \ne y

    Args:
        student_logits (Tensor): (N, K) with K of 2 or more.
        teacher_logits (Tensor): (N, K).
        labels (Tensor): y, int64 (N,).
        tau (float): Temperature.

    Returns:
        tuple: TCKD and NCKD, scalars, means over the batch; 0 for an empty batch.

    Example:
        >>> logits = torch.tensor([[2.0, 1.0, 0.0]])
        >>> target, rest = decoupled_divergences(logits, logits + 1, torch.tensor([0]), 4.0)
        >>> float(target), float(rest)
        (0.0, 0.0)

    Source: Equations 5 to 7.
    """
    with torch.autocast(student_logits.device.type, enabled=False):
        log_student = F.log_softmax(student_logits.float() / tau, dim=1)
        log_teacher = F.log_softmax(teacher_logits.float() / tau, dim=1)
        # F.one_hot would make the host look at the labels
        target = labels[:, None] == torch.arange(student_logits.shape[1], device=labels.device)
        pairs = []
        for logs in (log_student, log_teacher):
            # the log of 1 - p_y as the sum of all others keeps its precision where p_y is almost 1
            others = logs.masked_fill(target, -torch.inf).logsumexp(dim=1, keepdim=True)
            pairs.append((logs.gather(1, labels[:, None]), others, (logs - others).masked_fill(target, 0)))
        (student_y, student_rest, student_others), (teacher_y, teacher_rest, teacher_others) = pairs
        binary = teacher_y.exp() * (teacher_y - student_y) + teacher_rest.exp() * (teacher_rest - student_rest)
        among = (teacher_others.exp() * (teacher_others - student_others)).sum(dim=1)
        scale = tau**2 / max(len(labels), 1)
        return scale * binary.sum(), scale * among.sum()


@MODELS.register_module()
class DKDLoss(DistillationLoss):
    r"""Match the target class and the other classes with weights of their own.

    .. math:: \mathrm{loss\_weight} \cdot w(\mathrm{epoch})\, (\alpha\, \mathrm{TCKD} + \beta\, \mathrm{NCKD})

    Args:
        alpha (float): Weight of the target class against the rest. Defaults to 1.0.
        beta (float): Weight of the other classes among themselves; the authors' is 2 to 8 by pair. Defaults to 8.0.
        tau (float): Temperature. Defaults to 4.0.
        warmup_epochs (int): Epochs over which the loss grows linearly. Defaults to 20.
        loss_weight (float): Defaults to 1.0.
        student_tap (str): Module that returns the logits. Defaults to 'head.fc'.
        teacher_tap (str, optional): The same for the teacher. None: the student's. Defaults to None.
        label_tap (str, optional): Where the student shows the labels of its logits, int64 (N,), if these are not of
            images: 'roi_head.bbox_head.loss_cls(1)' for the RoIs of mmdet's Faster R-CNN. Defaults to None.

    Raises:
        ValueError: If ``tau`` is not positive or ``warmup_epochs`` is negative.

    Example:
        >>> from mmpretrain.structures import DataSample
        >>> logits = torch.tensor([[2.0, 1.0, 0.0]])
        >>> float(DKDLoss(warmup_epochs=0)(logits, logits + 1, [DataSample().set_gt_label(0)]))
        0.0

    Source: Zhao et al., Decoupled Knowledge Distillation, CVPR 2022, Equation 8; warm-up from the authors' code.
    """

    def __init__(
        self,
        alpha: float = 1.0,
        beta: float = 8.0,
        tau: float = 4.0,
        warmup_epochs: int = 20,
        loss_weight: float = 1.0,
        student_tap: str = 'head.fc',
        teacher_tap: str | None = None,
        label_tap: str | None = None,
    ) -> None:
        teacher_tap = student_tap if teacher_tap is None else teacher_tap
        super().__init__(student_tap if label_tap is None else [student_tap, label_tap], teacher_tap, loss_weight)
        if tau <= 0:
            raise ValueError(f'tau must be positive, got {tau}')
        if warmup_epochs < 0:
            raise ValueError(f'warmup_epochs must be 0 or more, got {warmup_epochs}')
        self.label_tap = label_tap
        self.alpha, self.beta, self.tau, self.warmup_epochs = alpha, beta, tau, warmup_epochs

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Refuse taps without logits and networks of different classes, see :func:`check_logits`."""
        logits = probe.student if self.label_tap is None else probe.student[0]
        check_logits(self, Probe(logits, probe.teacher))

    def phase(self) -> Hashable:
        """Return the factor of the warm-up, which a step holds as a number."""
        return warmup_factor(self.warmup_epochs)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of logits (N, K); the student's come with their labels if these are tapped."""
        if self.label_tap is None:
            student = single(student_features)
            labels = labels_of(data_samples).to(student.device)
        else:
            student, labels = student_features
        teacher = single(teacher_features).detach()
        check_same_classes(student, teacher)
        target, rest = decoupled_divergences(student, teacher, labels, self.tau)
        return self.loss_weight * warmup_factor(self.warmup_epochs) * (self.alpha * target + self.beta * rest)
