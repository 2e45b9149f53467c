"""DIST as a loss of a distiller; the formula: topkd.functional.dist."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from topkd.functional.dist import pearson_distance
from topkd.functional.logits import check_same_classes
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe, single
from topkd.models.losses.parts.logits import check_logits
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import full_precision


@MODELS.register_module()
class DISTLoss(DistillationLoss):
    r"""Match the relations between classes within an image, and between images within a class.

    .. math:: \mathrm{loss\_weight} \cdot \tau^2 \left(\beta\, d(P_S, P_T)
        + \gamma\, d(P_S^\top, P_T^\top)\right), \quad P = \mathrm{softmax}(z / \tau)

    where d is :func:`pearson_distance`.

    Args:
        beta (float): Weight within images. Defaults to 1.0.
        gamma (float): Weight within classes. Defaults to 1.0.
        tau (float): Temperature. Defaults to 1.0, the authors' on ImageNet.
        loss_weight (float): Defaults to 1.0.
        student_tap (str): Module that returns the logits. Defaults to 'head.fc'.
        teacher_tap (str, optional): The same for the teacher. None: the student's. Defaults to None.

    Raises:
        ValueError: If ``tau`` is not positive.

    Example:
        >>> logits = torch.tensor([[1.0, 2.0, 4.0], [3.0, 0.0, 1.0]])
        >>> abs(float(DISTLoss()(logits, logits))) < 1e-3
        True

    Source: Huang et al., Knowledge Distillation from A Stronger Teacher, NeurIPS 2022, Equations 6 to 10.
    """

    capturable = True

    def __init__(
        self,
        beta: float = 1.0,
        gamma: float = 1.0,
        tau: float = 1.0,
        loss_weight: float = 1.0,
        student_tap: str = 'head.fc',
        teacher_tap: str | None = None,
    ) -> None:
        super().__init__(student_tap, student_tap if teacher_tap is None else teacher_tap, loss_weight)
        if tau <= 0:
            raise ValueError(f'tau must be positive, got {tau}')
        self.beta, self.gamma, self.tau = beta, gamma, tau

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Refuse taps without logits and networks of different classes, see :func:`check_logits`."""
        check_logits(self, probe)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of logits (N, K) and (N, K)."""
        student, teacher = single(student_features), single(teacher_features).detach()
        check_same_classes(student, teacher)
        with torch.autocast(student.device.type, enabled=False):
            student = (full_precision(student) / self.tau).softmax(dim=1)
            teacher = (full_precision(teacher) / self.tau).softmax(dim=1)
            within_images, within_classes = pearson_distance(student, teacher), pearson_distance(student.T, teacher.T)
            return self.loss_weight * self.tau**2 * (self.beta * within_images + self.gamma * within_classes)
