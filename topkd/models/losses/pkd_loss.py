"""PKD as a loss of a distiller; the formula: topkd.functional.pkd."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from topkd.functional.maps import to_equal_size
from topkd.functional.pkd import correlation_distance
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import as_maps, default_taps, map_pairs, unbound
from topkd.models.taps.detector_taps import BOX_PYRAMID
from topkd.models.taps.tap import Taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import full_precision


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

    def __init__(
        self, loss_weight: float = 1.0, student_tap: Taps = BOX_PYRAMID, teacher_tap: Taps | None = None
    ) -> None:
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
