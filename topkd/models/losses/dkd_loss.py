"""Decoupled knowledge distillation as a loss of a distiller; the formula: topkd.functional.dkd."""

from collections.abc import Hashable, Sequence
from typing import Any

from torch import Tensor

from topkd.functional.dkd import decoupled_divergences
from topkd.functional.logits import check_same_classes
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe, single
from topkd.models.losses.parts.labels import labels_of
from topkd.models.losses.parts.logits import check_logits
from topkd.models.losses.parts.warmup import warmup_factor
from topkd.models.teacher import Teacher
from topkd.registry import MODELS


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
        >>> import torch
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
