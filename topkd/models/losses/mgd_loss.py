"""Masked generative distillation as a loss of a distiller; the formula: topkd.functional.mgd."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from topkd.functional.maps import to_equal_size
from topkd.functional.mgd import generation_distance, random_mask
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import as_maps, default_taps, map_pairs, unbound
from topkd.models.taps.tap import Taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS

MASKS = ('channels', 'positions')


class Generation(nn.Module):
    """Align a student's map with the teacher's channels and generate the teacher's map from it.

    Args:
        in_channels (int): Of the student's map.
        out_channels (int): Of the teacher's.

    Example:
        >>> Generation(16, 64)(torch.rand(2, 16, 8, 8), ratio=0.15, mask='channels').shape
        torch.Size([2, 64, 8, 8])
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.align = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)
        self.generate = nn.Sequential(
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
        )

    def forward(self, features: Tensor, ratio: float, mask: str) -> Tensor:
        """Mask the aligned map (N, C, H, W) and return the generated one."""
        aligned = self.align(features)
        return self.generate(aligned * random_mask(aligned, ratio, mask))


@MODELS.register_module()
class MGDLoss(DistillationLoss):
    """Generate the teacher's maps from randomly masked maps of the student; several taps are summed.

    Args:
        mask_ratio (float): Share that is masked. Defaults to 0.15, the authors' for ResNet34-ResNet18 on ImageNet.
        mask (str): What is masked: ``'channels'``, as the authors do in classification, or ``'positions'``, as they do
            in detection. Defaults to 'channels'.
        loss_weight (float): Defaults to 1.0; the authors' is 7e-5 on ImageNet and 2e-5 for detectors.
        student_tap (str | Sequence[str]): Defaults to 'backbone.layer3', the last stage of a CIFAR ResNet.
        teacher_tap (str | Sequence[str], optional): None: the student's. Defaults to None.

    Raises:
        ValueError: If ``mask_ratio`` is no share, or ``mask`` another word.

    Example:
        >>> loss = MGDLoss(mask_ratio=0.5)
        >>> loss.bind(None, Probe(torch.rand(1, 16, 8, 8), torch.rand(1, 64, 8, 8)))
        >>> loss.generations[0].align
        Conv2d(16, 64, kernel_size=(1, 1), stride=(1, 1))
        >>> loss(torch.rand(2, 16, 8, 8), torch.rand(2, 64, 8, 8)).shape
        torch.Size([])

    Source: Yang et al., Masked Generative Distillation, ECCV 2022, Equations 2 to 4.
    """

    def __init__(
        self,
        mask_ratio: float = 0.15,
        mask: str = 'channels',
        loss_weight: float = 1.0,
        student_tap: Taps = 'backbone.layer3',
        teacher_tap: Taps | None = None,
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        if not 0 <= mask_ratio < 1:
            raise ValueError(f'mask_ratio must be from 0 to below 1, got {mask_ratio}')
        if mask not in MASKS:
            raise ValueError(f"mask must be 'channels' or 'positions', got '{mask}'")
        self.mask_ratio, self.mask = mask_ratio, mask
        self.generations = nn.ModuleList()

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make one generation a pair of maps; see :func:`topkd.models.losses.parts.feature_maps.map_pairs`."""
        pairs = map_pairs(self, probe)
        self.generations = nn.ModuleList(Generation(ours.shape[1], theirs.shape[1]) for ours, theirs in pairs)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of maps (N, C, H, W), one or a list of each network."""
        if not len(self.generations):
            raise unbound(self)
        terms = []
        pairs = zip(as_maps(student_features), as_maps(teacher_features))
        for generation, (student, teacher) in zip(self.generations, pairs):
            student, teacher = to_equal_size(student, teacher.detach())
            terms.append(generation_distance(generation(student, self.mask_ratio, self.mask), teacher))
        return self.loss_weight * torch.stack(terms).sum()
