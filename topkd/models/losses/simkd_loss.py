"""SimKD as a loss of a distiller; the formula: topkd.functional.simkd."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from topkd.functional.simkd import projection_distance
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe, single
from topkd.models.losses.parts.feature_maps import default_taps, map_pairs
from topkd.models.teacher import Teacher
from topkd.registry import MODELS


@MODELS.register_module()
class SimKDLoss(DistillationLoss):
    """Match the student's projected map with the teacher's last map; nothing else is trained.

    The projector and the teacher's classifier belong to the student, which needs both at inference: its neck is a
    :class:`topkd.models.simkd_student.SimKDProjector`, its head a
    :class:`topkd.models.simkd_student.TeacherClassifierHead` whose own loss has weight 0.

    Args:
        loss_weight (float): Defaults to 1.0, the authors'.
        student_tap (str): The projected map. Defaults to 'neck.projection'.
        teacher_tap (str, optional): The map whose average the teacher's classifier reads. Defaults to 'backbone[0]',
            the only output of a backbone with one.

    Example:
        >>> import torch
        >>> SimKDLoss()(torch.zeros(2, 64, 4, 4), 3 * torch.ones(2, 64, 8, 8))
        tensor(9.)

    Source: Chen et al., Knowledge Distillation with the Reused Teacher Classifier.
    """

    def __init__(
        self, loss_weight: float = 1.0, student_tap: str = 'neck.projection', teacher_tap: str | None = 'backbone[0]'
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Refuse taps that are no pair of maps, and a projector of another width.

        Args:
            teacher (Teacher): See :meth:`DistillationLoss.bind`.
            probe (Probe): One map (1, C, H, W) of each network.

        Raises:
            ValueError: If the taps are no pair of maps of equal width.
        """
        for student, target in map_pairs(self, probe):
            if student.shape[1] != target.shape[1]:
                raise ValueError(
                    f"SimKDLoss: the projector makes {student.shape[1]} channels, the teacher's map has "
                    f'{target.shape[1]}: set out_channels of SimKDProjector to {target.shape[1]}'
                )

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of maps (N, C, H, W) and (N, C, H', W')."""
        return self.loss_weight * projection_distance(single(student_features), single(teacher_features))
