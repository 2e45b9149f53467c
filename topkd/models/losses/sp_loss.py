"""Similarity-preserving distillation as a loss of a distiller; the formula: topkd.functional.sp."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from topkd.functional.sp import similarities
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import as_maps, default_taps
from topkd.models.taps.tap import Taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import full_precision


@MODELS.register_module()
class SPLoss(DistillationLoss):
    r"""Match the similarities between the images of a batch; several taps are summed.

    .. math:: \frac{\mathrm{loss\_weight}}{N^2} \|G_S - G_T\|_F^2

    Args:
        loss_weight (float): Defaults to 1.0; the benchmark's is 3000.
        student_tap (str | Sequence[str]): Defaults to 'backbone.layer3', the last stage of a CIFAR ResNet.
        teacher_tap (str | Sequence[str], optional): None: the student's. Defaults to None.

    Example:
        >>> features = torch.rand(4, 16, 8, 8)
        >>> float(SPLoss()(features, 2 * features)) < 1e-6
        True

    Source: Tung and Mori, Similarity-Preserving Knowledge Distillation, ICCV 2019, Equation 4.
    """

    capturable = True

    def __init__(
        self, loss_weight: float = 1.0, student_tap: Taps = 'backbone.layer3', teacher_tap: Taps | None = None
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Refuse taps that are no pairs.

        Args:
            teacher (Teacher): Not asked.
            probe (Probe): Features of one blank image.

        Raises:
            ValueError: If the numbers of taps differ.
        """
        counts = len(as_maps(probe.student)), len(as_maps(probe.teacher))
        if counts[0] != counts[1]:
            raise ValueError(
                f'SPLoss compares taps in pairs, got {counts[0]} of the student and {counts[1]} of the teacher: give '
                'student_tap and teacher_tap the same length'
            )

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of features (N, ...); only N has to agree."""
        pairs = zip(as_maps(student_features), as_maps(teacher_features))
        device = as_maps(student_features)[0].device.type
        with torch.autocast(device, enabled=False):
            terms = [
                (similarities(full_precision(student)) - similarities(full_precision(teacher.detach()))).square().mean()
                for student, teacher in pairs
            ]
            return self.loss_weight * torch.stack(terms).sum()
