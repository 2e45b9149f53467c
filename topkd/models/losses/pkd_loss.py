"""Distillation of detectors by the correlation of normalized maps (PKD, Cao et al. 2022)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from topkd.models.clouds import full_precision
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.feature_maps import as_maps, default_taps, map_pairs, to_equal_size, unbound
from topkd.models.tap import Taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS

EPS = 1e-6  # beside the standard deviation, in the authors' code
PYRAMID = ('neck[0]', 'neck[1]', 'neck[2]', 'neck[3]')


def normalized(features: Tensor) -> Tensor:
    r"""Normalize every channel over the batch and all positions.

    .. math:: (f_c - \mu_c) / (\sigma_c + 10^{-6})

    Args:
        features (Tensor): (N, C, H, W); sigma is the sample standard deviation.

    Returns:
        Tensor: (N, C, H, W); 0 for a constant channel.

    Example:
        >>> normalized(torch.tensor([1.0, 2.0, 3.0]).reshape(1, 1, 1, 3)).flatten()
        tensor([-1.0000,  0.0000,  1.0000])

    Source: Section 3.2.
    """
    centered = features - features.mean(dim=(0, 2, 3), keepdim=True)
    count = features.numel() // features.shape[1]
    variance = centered.square().sum(dim=(0, 2, 3), keepdim=True) / max(count - 1, 1)
    # the root of 0 has no gradient
    deviation = torch.where(variance > 0, variance.clamp_min(torch.finfo(variance.dtype).tiny).sqrt(), 0)
    return centered / (deviation + EPS)


def correlation_distance(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute half the mean squared difference of normalized maps, which is one minus their correlation.

    .. math:: \frac{1}{2}\, \overline{(\hat f_S - \hat f_T)^2}

    Args:
        student (Tensor): (N, C, H, W).
        teacher (Tensor): (N, C, H, W).

    Returns:
        Tensor: Scalar.

    Example:
        >>> maps = torch.rand(2, 3, 4, 4)
        >>> float(correlation_distance(5 * maps + 1, maps)) < 1e-6
        True

    Source: Equation 2.
    """
    return (normalized(student) - normalized(teacher)).square().mean() / 2


@MODELS.register_module()
class PKDLoss(DistillationLoss):
    """Match normalized maps; several taps, such as the levels of a pyramid, are summed.

    Where the channels differ, a learned 1x1 convolution maps the student's to the teacher's.

    Args:
        loss_weight (float): Defaults to 1.0; the authors' is 6 for two-stage detectors.
        student_tap (str | Sequence[str]): Defaults to the four levels of a pyramid that a box head reads.
        teacher_tap (str | Sequence[str], optional): None: the student's. Defaults to None.

    Example:
        >>> loss = PKDLoss(student_tap='neck[0]')
        >>> loss.bind(None, Probe(torch.rand(1, 16, 8, 8), torch.rand(1, 16, 8, 8)))
        >>> maps = torch.rand(2, 16, 8, 8)
        >>> float(loss(5 * maps + 1, maps)) < 1e-6
        True

    Source: Cao et al., PKD: General Distillation Framework for Object Detectors via Pearson Correlation Coefficient,
    NeurIPS 2022.
    """

    def __init__(self, loss_weight: float = 1.0, student_tap: Taps = PYRAMID, teacher_tap: Taps | None = None) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        self.projections = nn.ModuleList()

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make a projection for every pair of other channels; see :func:`map_pairs`."""
        self.projections = nn.ModuleList(
            nn.Identity()
            if ours.shape[1] == theirs.shape[1]
            else nn.Conv2d(ours.shape[1], theirs.shape[1], 1, bias=False)
            for ours, theirs in map_pairs(self, probe)
        )

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of maps (N, C, H, W), one or a list of each network."""
        if not len(self.projections):
            raise unbound(self)
        terms = []
        pairs = zip(as_maps(student_features), as_maps(teacher_features))
        for projection, (student, teacher) in zip(self.projections, pairs):
            student, teacher = to_equal_size(projection(student), teacher.detach())
            with torch.autocast(student.device.type, enabled=False):
                terms.append(correlation_distance(full_precision(student), full_precision(teacher)))
        return self.loss_weight * torch.stack(terms).sum()
