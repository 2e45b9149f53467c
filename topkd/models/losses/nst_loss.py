"""Neuron selectivity as a loss of a distiller; the formula: topkd.functional.nst."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from topkd.functional.nst import selectivity_distance
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import LAYERS, as_maps, default_taps, map_pairs
from topkd.models.taps.tap import Taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import add_up


@MODELS.register_module()
class NSTLoss(DistillationLoss):
    """Match the distributions of the channels' patterns of the stages; the terms of the stages are summed.

    Args:
        loss_weight (float): Defaults to 1.0; the benchmark's is 50.
        student_tap (str | Sequence[str]): Maps of the student. Defaults to the three stages of a CIFAR ResNet.
        teacher_tap (str | Sequence[str], optional): Maps of the teacher. None: as the student's. Defaults to None.

    Example:
        >>> import torch
        >>> maps = torch.rand(2, 16, 8, 8)
        >>> abs(float(NSTLoss(student_tap='backbone.layer3')(maps, maps.flip(1)))) < 1e-6
        True

    Source: Huang and Wang, Like What You Like, squared MMD with a polynomial kernel; means over pairs from the CRD
        benchmark.
    """

    capturable = True

    def __init__(self, loss_weight: float = 1.0, student_tap: Taps = LAYERS, teacher_tap: Taps | None = None) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Refuse taps that are no pairs of maps; see :func:`topkd.models.losses.parts.feature_maps.map_pairs`."""
        map_pairs(self, probe)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of maps (N, C, H, W), one or a list of each network."""
        pairs = zip(as_maps(student_features), as_maps(teacher_features))
        return self.loss_weight * add_up(selectivity_distance(student, teacher) for student, teacher in pairs)
