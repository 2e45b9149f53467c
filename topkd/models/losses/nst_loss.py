"""Neuron selectivity, the distribution of the channels' activation patterns (Huang and Wang 2017)."""

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


def mean_kernel(first: Tensor, second: Tensor) -> Tensor:
    r"""Compute the mean of the polynomial kernel over all pairs of channels of the same image.

    .. math:: \frac{1}{N C C'} \sum_{n, i, j} (x_{ni}^\top y_{nj})^2

    Args:
        first (Tensor): x, (N, C, P).
        second (Tensor): y, (N, C', P).

    Returns:
        Tensor: Scalar.

    Example:
        >>> mean_kernel(torch.eye(2)[None], torch.eye(2)[None])
        tensor(0.5000)
    """
    return torch.bmm(first, second.transpose(1, 2)).square().mean()


def selectivity_distance(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the squared maximum mean discrepancy of the normalized channels of one stage.

    .. math:: \overline{k}(x_T, x_T) + \overline{k}(x_S, x_S) - 2\, \overline{k}(x_S, x_T), \quad
        x_c = f_c / \|f_c\|_2,\ k(x, y) = (x^\top y)^2

    Args:
        student (Tensor): (N, C_S, H_S, W_S).
        teacher (Tensor): (N, C_T, H_T, W_T). The larger map is average-pooled to the size of the smaller.

    Returns:
        Tensor: Scalar.

    Example:
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> abs(float(selectivity_distance(maps, maps.flip(1)))) < 1e-6
        True

    Source: the squared MMD of the paper with its polynomial kernel of degree 2 and offset 0.
    """
    with torch.autocast(student.device.type, enabled=False):
        student, teacher = to_equal_size(full_precision(student), full_precision(teacher.detach()))
        student, teacher = F.normalize(student.flatten(2), dim=2), F.normalize(teacher.flatten(2), dim=2)
        return mean_kernel(teacher, teacher) + mean_kernel(student, student) - 2 * mean_kernel(student, teacher)


@MODELS.register_module()
class NSTLoss(DistillationLoss):
    """Match the distributions of the channels' patterns of the stages; the terms of the stages are summed.

    Args:
        loss_weight (float): Defaults to 1.0; the benchmark's is 50.
        student_tap (str | Sequence[str]): Maps of the student. Defaults to the three stages of a CIFAR ResNet.
        teacher_tap (str | Sequence[str], optional): Maps of the teacher. None: as the student's. Defaults to None.

    Example:
        >>> maps = torch.rand(2, 16, 8, 8)
        >>> abs(float(NSTLoss(student_tap='backbone.layer3')(maps, maps.flip(1)))) < 1e-6
        True

    Source: Huang and Wang, Like What You Like, squared MMD with a polynomial kernel; means over pairs from the CRD
        benchmark.
    """

    static = True

    def __init__(self, loss_weight: float = 1.0, student_tap: Taps = LAYERS, teacher_tap: Taps | None = None) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Refuse taps that are no pairs of maps; see :func:`topkd.models.losses.feature_maps.map_pairs`."""
        map_pairs(self, probe)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of maps (N, C, H, W), one or a list of each network."""
        pairs = zip(as_maps(student_features), as_maps(teacher_features))
        return self.loss_weight * add_up(selectivity_distance(student, teacher) for student, teacher in pairs)
