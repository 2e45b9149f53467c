"""Attention transfer as a loss of a distiller; the formula: topkd.functional.at."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from topkd.functional.at import attention_distance
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import LAYERS, as_maps, default_taps, map_pairs
from topkd.models.taps.tap import Taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import add_up


@MODELS.register_module()
class ATLoss(DistillationLoss):
    """Match the attention maps of the stages; the terms of the stages are summed.

    Args:
        p (float): Power of the activations. Defaults to 2.
        loss_weight (float): Defaults to 1.0; the benchmark's is 1000.
        student_tap (str | Sequence[str]): Maps of the student. Defaults to the three stages of a CIFAR ResNet.
        teacher_tap (str | Sequence[str], optional): Maps of the teacher. None: as the student's. Defaults to None.

    Raises:
        ValueError: If ``p`` is less than 1.

    Example:
        >>> import torch
        >>> maps = torch.rand(2, 16, 8, 8)
        >>> float(ATLoss(student_tap='backbone.layer3')(maps, 2 * maps)) < 1e-12
        True

    Source: Zagoruyko and Komodakis, Paying More Attention to Attention, Equation 2; means from the CRD benchmark.
    """

    capturable = True

    def __init__(
        self, p: float = 2, loss_weight: float = 1.0, student_tap: Taps = LAYERS, teacher_tap: Taps | None = None
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        if p < 1:
            raise ValueError(f'p of ATLoss must be at least 1, got {p}')
        self.p = p

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Refuse taps that are no pairs of maps; see :func:`topkd.models.losses.parts.feature_maps.map_pairs`."""
        map_pairs(self, probe)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of maps (N, C, H, W), one or a list of each network."""
        pairs = zip(as_maps(student_features), as_maps(teacher_features))
        return self.loss_weight * add_up(attention_distance(student, teacher, self.p) for student, teacher in pairs)
