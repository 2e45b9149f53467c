"""Knowledge distillation by softened logits as a loss of a distiller; the formula: topkd.functional.kd."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from topkd.functional.kd import kd_divergence, standardized
from topkd.functional.logits import check_same_classes
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe, single
from topkd.models.losses.parts.logits import check_logits
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.checks import flag, number


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

    capturable = True

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
