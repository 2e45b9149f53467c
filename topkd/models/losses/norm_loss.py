"""N-to-one matching (NORM) as a loss of a distiller; the formula: topkd.functional.norm."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from topkd.functional.norm import copies_distance
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe, single
from topkd.models.losses.parts.feature_maps import default_taps, map_pairs
from topkd.models.losses.parts.warmup import current_epoch
from topkd.models.teacher import Teacher
from topkd.registry import MODELS


@MODELS.register_module()
class NORMLoss(DistillationLoss):
    """Match the student's expanded map with as many copies of the teacher's last map.

    The student needs a :class:`topkd.models.NORMProjector`, which stays a part of it, or is folded into its classifier.

    Args:
        schedule (Sequence[tuple[int, float]]): From which epoch, counted from 0, which factor holds. Defaults to the
            full weight throughout; the authors' is 0.1 for 10 epochs, 0.5 for 10 more, then 1, and 0.5 and 0.1 in the
            last 60 and 30 of 240.
        loss_weight (float): Defaults to 1.0, the authors'.
        student_tap (str): The expanded map. Defaults to 'neck.expand'.
        teacher_tap (str): The map whose average is the input of the teacher's classifier. Defaults to 'backbone[0]',
            the only output of a backbone with one.

    Raises:
        ValueError: If ``schedule`` does not begin at epoch 0, or is not in order.

    Example:
        >>> import torch
        >>> NORMLoss(schedule=((0, 0.5), (10, 1.0)))(torch.ones(2, 6, 4, 4), torch.zeros(2, 3, 4, 4))
        tensor(1.)

    Source: Liu et al., Knowledge Distillation via N-to-One Representation Matching, ICLR 2023; constants of the
    authors' code.
    """

    def __init__(
        self,
        schedule: Sequence[tuple[int, float]] = ((0, 1.0),),
        loss_weight: float = 1.0,
        student_tap: str = 'neck.expand',
        teacher_tap: str | None = 'backbone[0]',
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        epochs = [epoch for epoch, _ in schedule]
        if not epochs or epochs[0] != 0 or epochs != sorted(set(epochs)):
            raise ValueError(f'schedule must name epochs in order from 0, got {epochs}')
        self.schedule = [tuple(entry) for entry in schedule]

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Refuse taps that are no pair of maps, and a projector for another teacher.

        Args:
            teacher (Teacher): See :meth:`DistillationLoss.bind`.
            probe (Probe): One map (1, C, H, W) of each network.

        Raises:
            ValueError: If the student's channels are no multiple of the teacher's.
        """
        for student, target in map_pairs(self, probe):
            if student.shape[1] % target.shape[1]:
                raise ValueError(
                    f"NORMLoss: the projector makes {student.shape[1]} channels, no multiple of the teacher map's "
                    f'{target.shape[1]}: set out_channels of NORMProjector to {target.shape[1]}'
                )

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of maps (B, N C, H, W) and (B, C, H', W')."""
        factor = [value for epoch, value in self.schedule if epoch <= current_epoch()][-1]
        return factor * self.loss_weight * copies_distance(single(student_features), single(teacher_features))
