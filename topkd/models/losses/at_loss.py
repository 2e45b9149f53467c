"""Attention transfer: the energy of every position of a map (Zagoruyko and Komodakis 2017)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.models.clouds import full_precision
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.feature_maps import LAYERS, as_maps, default_taps, map_pairs, to_equal_size
from topkd.models.tap import Taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import add_up


def attention_map(features: Tensor, p: float = 2) -> Tensor:
    r"""Compute the normalized energy of every position.

    .. math:: q = a / \|a\|_2, \quad a_{hw} = \frac{1}{C} \sum_c |f_{chw}|^p

    Args:
        features (Tensor): (N, C, H, W).
        p (float): Power. Defaults to 2.

    Returns:
        Tensor: (N, H W), rows of length 1; 0 for a map of zeros.

    Example:
        >>> attention_map(torch.tensor([[[[3.0, 0.0], [0.0, 0.0]]]]))
        tensor([[1., 0., 0., 0.]])
    """
    energy = features.square() if p == 2 else features.abs().pow(p)
    return F.normalize(energy.mean(dim=1).flatten(1))


def attention_distance(student: Tensor, teacher: Tensor, p: float = 2) -> Tensor:
    r"""Compute the mean squared difference of the attention maps of one stage.

    .. math:: \frac{1}{N H W} \sum_n \|q_S^n - q_T^n\|_2^2

    Args:
        student (Tensor): (N, C_S, H_S, W_S).
        teacher (Tensor): (N, C_T, H_T, W_T). The larger map is average-pooled to the size of the smaller.
        p (float): Power. Defaults to 2.

    Returns:
        Tensor: Scalar.

    Example:
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> float(attention_distance(maps, 5 * maps)) < 1e-12
        True

    Source: Equation 2, with the CRD benchmark's means instead of sums.
    """
    with torch.autocast(student.device.type, enabled=False):
        student, teacher = to_equal_size(full_precision(student), full_precision(teacher.detach()))
        return (attention_map(student, p) - attention_map(teacher, p)).square().mean()


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
        >>> maps = torch.rand(2, 16, 8, 8)
        >>> float(ATLoss(student_tap='backbone.layer3')(maps, 2 * maps)) < 1e-12
        True

    Source: Zagoruyko and Komodakis, Paying More Attention to Attention, Equation 2; means from the CRD benchmark.
    """

    static = True

    def __init__(
        self, p: float = 2, loss_weight: float = 1.0, student_tap: Taps = LAYERS, teacher_tap: Taps | None = None
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        if p < 1:
            raise ValueError(f'p of ATLoss must be at least 1, got {p}')
        self.p = p

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Refuse taps that are no pairs of maps; see :func:`topkd.models.losses.feature_maps.map_pairs`."""
        map_pairs(self, probe)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of maps (N, C, H, W), one or a list of each network."""
        pairs = zip(as_maps(student_features), as_maps(teacher_features))
        return self.loss_weight * add_up(attention_distance(student, teacher, self.p) for student, teacher in pairs)
