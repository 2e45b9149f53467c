"""Channel-wise distillation as a loss of a distiller; the formula: topkd.functional.cwd."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from topkd.functional.cwd import channel_divergence
from topkd.functional.maps import to_equal_size
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import as_maps, default_taps, map_pairs, unbound
from topkd.models.taps.tap import Taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import full_precision


@MODELS.register_module()
class CWDLoss(DistillationLoss):
    """Match, channel by channel, where in the image maps are active; several taps are summed.

    Where the channels differ, a learned 1x1 convolution maps the student's to the teacher's.

    Args:
        tau (float): Temperature. Defaults to 1.0.
        loss_weight (float): Defaults to 1.0.
        student_tap (str | Sequence[str]): Defaults to 'backbone.layer3', the last stage of a CIFAR ResNet.
        teacher_tap (str | Sequence[str], optional): None: the student's. Defaults to None.

    Raises:
        ValueError: If ``tau`` is not positive.

    Example:
        >>> loss = CWDLoss(tau=1.0, student_tap='neck[0]')
        >>> loss.bind(None, Probe(torch.rand(1, 16, 8, 8), torch.rand(1, 64, 8, 8)))
        >>> loss.projections[0]
        Conv2d(16, 64, kernel_size=(1, 1), stride=(1, 1), bias=False)
        >>> loss(torch.rand(2, 16, 8, 8), torch.rand(2, 64, 8, 8)).shape
        torch.Size([])

    Source: Shu et al., Channel-Wise Knowledge Distillation for Dense Prediction, ICCV 2021, Equation 4.
    """

    capturable = True

    def __init__(
        self,
        tau: float = 1.0,
        loss_weight: float = 1.0,
        student_tap: Taps = 'backbone.layer3',
        teacher_tap: Taps | None = None,
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        if tau <= 0:
            raise ValueError(f'tau must be positive, got {tau}')
        self.tau = tau
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
                terms.append(channel_divergence(full_precision(student), full_precision(teacher), self.tau))
        return self.loss_weight * torch.stack(terms).sum()
