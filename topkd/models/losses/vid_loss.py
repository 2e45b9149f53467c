"""Variational information as a loss of a distiller; the formula: topkd.functional.vid."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from topkd.functional.maps import to_equal_size
from topkd.functional.vid import gaussian_distance
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import LAYERS, as_maps, default_taps, map_pairs, unbound
from topkd.models.taps.tap import Taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import add_up


class VariationalRegressor(nn.Module):
    """Predict the mean of the teacher's map by three 1x1 convolutions, and learn one variance a channel.

    Args:
        student_channels (int): C_S.
        teacher_channels (int): C_T, also the width between the convolutions.
        initial_variance (float): sigma^2 at the start.
        eps (float): Smallest variance.

    Example:
        >>> regressor = VariationalRegressor(16, 64, initial_variance=5.0, eps=1e-5)
        >>> regressor.variance().shape, regressor(torch.rand(2, 16, 8, 8), torch.rand(2, 64, 8, 8)).shape
        (torch.Size([64]), torch.Size([]))
    """

    def __init__(self, student_channels: int, teacher_channels: int, initial_variance: float, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.mean = nn.Sequential(
            nn.Conv2d(student_channels, teacher_channels, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(teacher_channels, teacher_channels, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(teacher_channels, teacher_channels, 1, bias=False),
        )
        # softplus of this is the initial variance
        self.scale = nn.Parameter(torch.full((teacher_channels,), math.log(math.expm1(initial_variance - eps))))

    def variance(self) -> Tensor:
        """Return sigma^2, (C_T, )."""
        return F.softplus(self.scale.float()) + self.eps

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Compute :func:`gaussian_distance` of maps (N, C_S, H_S, W_S) and (N, C_T, H_T, W_T)."""
        student, teacher = to_equal_size(student, teacher)
        return gaussian_distance(self.mean(student), self.variance(), teacher)


@MODELS.register_module()
class VIDLoss(DistillationLoss):
    """Maximize a bound of the information between the maps of both networks; the terms of the stages are summed.

    Args:
        initial_variance (float): sigma^2 at the start. Defaults to 5.0.
        eps (float): Smallest variance. Defaults to 1e-5.
        loss_weight (float): Defaults to 1.0, the benchmark's.
        student_tap (str | Sequence[str]): Maps of the student. Defaults to the three stages of a CIFAR ResNet.
        teacher_tap (str | Sequence[str], optional): Maps of the teacher. None: as the student's. Defaults to None.

    Raises:
        ValueError: If ``eps`` is not positive or ``initial_variance`` not larger.

    Example:
        >>> loss = VIDLoss(student_tap='backbone.layer3')
        >>> loss.bind(None, Probe(torch.rand(1, 16, 8, 8), torch.rand(1, 64, 8, 8)))
        >>> loss(torch.rand(2, 16, 8, 8), torch.rand(2, 64, 8, 8)).shape
        torch.Size([])

    Source: Ahn et al., Variational Information Distillation for Knowledge Transfer; regressor from the CRD benchmark.
    """

    capturable = True

    def __init__(
        self,
        initial_variance: float = 5.0,
        eps: float = 1e-5,
        loss_weight: float = 1.0,
        student_tap: Taps = LAYERS,
        teacher_tap: Taps | None = None,
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        if not 0 < eps < initial_variance:
            raise ValueError(f'VIDLoss needs 0 < eps < initial_variance, got eps {eps}, variance {initial_variance}')
        self.initial_variance = initial_variance
        self.eps = eps
        self.regressors = nn.ModuleList()

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make a regressor for each pair of maps.

        Args:
            teacher (Teacher): See :meth:`DistillationLoss.bind`.
            probe (Probe): One map (1, C, H, W) or several of each network.

        Raises:
            ValueError: If the taps are no pairs of maps.
        """
        self.regressors = nn.ModuleList(
            VariationalRegressor(student.shape[1], target.shape[1], self.initial_variance, self.eps)
            for student, target in map_pairs(self, probe)
        )

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of maps (N, C, H, W), one or a list of each network."""
        if not self.regressors:
            raise unbound(self)
        levels = zip(self.regressors, as_maps(student_features), as_maps(teacher_features), strict=True)
        return self.loss_weight * add_up(layers(student, teacher) for layers, student, teacher in levels)
