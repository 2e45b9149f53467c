"""Knowledge review as a loss of a distiller; the formula: topkd.functional.reviewkd."""

from collections.abc import Hashable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from topkd.functional.reviewkd import context_distance
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import as_maps, default_taps, unbound
from topkd.models.losses.parts.warmup import warmup_factor
from topkd.models.taps.tap import Taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import full_precision

TAPS = ('backbone.layer1', 'backbone.layer2', 'backbone.layer3', 'neck[0]')


class AttentionFusion(nn.Module):
    """Fuse a map with the fused features of the level below it (the paper's ABF).

    Args:
        in_channels (int): Of the student's map.
        mid_channels (int): Of the fused features.
        out_channels (int): Of the teacher's map.
        fuse (bool): Whether there is a level below; the deepest has none.

    Example:
        >>> fusion = AttentionFusion(16, mid_channels=32, out_channels=64, fuse=True)
        >>> compared, fused = fusion(torch.rand(2, 16, 8, 8), torch.rand(2, 32, 4, 4), size=(8, 8))
        >>> compared.shape, fused.shape
        (torch.Size([2, 64, 8, 8]), torch.Size([2, 32, 8, 8]))
    """

    def __init__(self, in_channels: int, mid_channels: int, out_channels: int, fuse: bool) -> None:
        super().__init__()
        reduce = nn.Conv2d(in_channels, mid_channels, 1, bias=False)
        expand = nn.Conv2d(mid_channels, out_channels, 3, padding=1, bias=False)
        self.reduce = nn.Sequential(reduce, nn.BatchNorm2d(mid_channels))
        self.expand = nn.Sequential(expand, nn.BatchNorm2d(out_channels))
        self.attention = nn.Sequential(nn.Conv2d(2 * mid_channels, 2, 1), nn.Sigmoid()) if fuse else None
        for layer in (reduce, expand):
            nn.init.kaiming_uniform_(layer.weight, a=1)

    def forward(self, features: Tensor, deeper: Tensor | None, size: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return the map to be compared, of the teacher's ``size``, and the fused features for the next level.

        Args:
            features (Tensor): The student's map (N, C, H, W).
            deeper (Tensor, optional): Fused features of the level below, of any size.
            size (Sequence[int]): Height and width of the teacher's map.
        """
        fused = self.reduce(features)
        if self.attention is not None and deeper is not None:
            deeper = F.interpolate(deeper, fused.shape[2:], mode='nearest')
            weights = self.attention(torch.cat([fused, deeper], dim=1))
            fused = fused * weights[:, :1] + deeper * weights[:, 1:]
        if tuple(fused.shape[2:]) != tuple(size):
            fused = F.interpolate(fused, tuple(size), mode='nearest')
        return self.expand(fused), fused


@MODELS.register_module()
class ReviewKDLoss(DistillationLoss):
    """Match maps of the student, each fused with all deeper ones, with the teacher's maps.

    Args:
        warmup_epochs (int): Epochs over which the loss grows linearly. Defaults to 20.
        max_channels (int): Channels of the fused features at most. Defaults to 512, the authors' on CIFAR-100.
        loss_weight (float): Defaults to 1.0; the authors' is 0.6 to 8 by pair.
        student_tap (Sequence[str]): From shallow to deep; a vector counts as a map of one position. Defaults to the
            stages of a CIFAR ResNet and the pooled vector.
        teacher_tap (Sequence[str], optional): As many. None: the student's; the authors take the teacher's maps before
            their last ReLU. Defaults to None.

    Raises:
        ValueError: If ``warmup_epochs`` is negative or ``max_channels`` not positive.

    Example:
        >>> loss = ReviewKDLoss(warmup_epochs=0)
        >>> student = [torch.rand(2, 16, 8, 8), torch.rand(2, 32, 4, 4), torch.rand(2, 32)]
        >>> teacher = [torch.rand(2, 64, 8, 8), torch.rand(2, 128, 4, 4), torch.rand(2, 128)]
        >>> loss.bind(None, Probe(student, teacher))
        >>> loss(student, teacher).shape
        torch.Size([])

    Source: Chen et al., Distilling Knowledge via Knowledge Review, CVPR 2021, Equations 5 to 7.
    """

    def __init__(
        self,
        warmup_epochs: int = 20,
        max_channels: int = 512,
        loss_weight: float = 1.0,
        student_tap: Taps = TAPS,
        teacher_tap: Taps | None = None,
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        if warmup_epochs < 0:
            raise ValueError(f'warmup_epochs must be 0 or more, got {warmup_epochs}')
        if max_channels < 1:
            raise ValueError(f'max_channels must be 1 or more, got {max_channels}')
        self.warmup_epochs, self.max_channels = warmup_epochs, max_channels
        self.fusions = nn.ModuleList()

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make the fusions of all levels.

        Args:
            teacher (Teacher): Not asked.
            probe (Probe): Maps (1, C, H, W) or vectors (1, C) from shallow to deep.

        Raises:
            ValueError: If the numbers of taps differ.
        """
        student, teacher_maps = as_maps(probe.student), as_maps(probe.teacher)
        if len(student) != len(teacher_maps):
            raise ValueError(
                f'ReviewKDLoss compares taps in pairs, got {len(student)} of the student and {len(teacher_maps)} of '
                'the teacher: give student_tap and teacher_tap the same length'
            )
        middle = min(self.max_channels, student[-1].shape[1])
        self.fusions = nn.ModuleList(
            AttentionFusion(ours.shape[1], middle, theirs.shape[1], fuse=level < len(student) - 1)
            for level, (ours, theirs) in enumerate(zip(student, teacher_maps))
        )

    def phase(self) -> Hashable:
        """Return the factor of the warm-up, which a step holds as a number."""
        return warmup_factor(self.warmup_epochs)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of lists of maps (N, C, H, W) or vectors (N, C)."""
        if not len(self.fusions):
            raise unbound(self)
        student, teacher = [_positions(level) for level in as_maps(student_features)], as_maps(teacher_features)
        value, deeper = student[0].new_zeros((), dtype=torch.float32), None
        for fusion, ours, theirs in zip(reversed(self.fusions), reversed(student), reversed(teacher)):
            theirs = _positions(theirs.detach())
            found, deeper = fusion(ours, deeper, theirs.shape[2:])
            with torch.autocast(ours.device.type, enabled=False):
                value = value + context_distance(full_precision(found), full_precision(theirs))
        return self.loss_weight * warmup_factor(self.warmup_epochs) * value


def _positions(features: Tensor) -> Tensor:
    """Return vectors (N, C) as maps of one position."""
    return features[:, :, None, None] if features.ndim == 2 else features
