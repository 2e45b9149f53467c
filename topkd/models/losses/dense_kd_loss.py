"""KD on the class scores of one-stage detectors as a loss of a distiller; the formula: topkd.functional.dense_kd."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from topkd.functional.dense_kd import richness_divergence, scores
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import as_maps, default_taps, map_pairs
from topkd.models.taps.tap import Taps, as_list, find_module, parse_tap
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.checks import flag

CLASSES, OBJECTNESS = '@class_logits', '@objectness'


@MODELS.register_module()
class DenseKDLoss(DistillationLoss):
    """Match the class scores of a one-stage detector cell by cell, near what the teacher takes for objects.

    Both heads must have the same classes, anchors and levels, and a sigmoid for each class, as RetinaNet, GFL, ATSS,
    FCOS and YOLOX have; the levels are added.

    Args:
        objectness (bool): Whether a score is the product of class and objectness, which is what YOLOX reports: its
            classes are trained at objects only, and mean nothing elsewhere. Defaults to False.
        loss_weight (float): Defaults to 1.0; the authors' is 0.02 for RetinaNet and 0.05 for GFL and FCOS.
        student_tap (str | Sequence[str], optional): Class logits, level by level, behind them the levels of
            objectness if there is one. None: those of the network. Defaults to None.
        teacher_tap (str | Sequence[str], optional): None: the student's. Defaults to None.

    Example:
        >>> loss = DenseKDLoss(loss_weight=0.02)
        >>> levels = [torch.zeros(2, 80, 8, 8), torch.zeros(2, 80, 4, 4)]
        >>> loss.student_tap, float(loss(levels, levels))
        (['@class_logits'], 0.0)

    Source: Du et al., Distilling Object Detectors with Feature Richness, NeurIPS 2021, its loss on the classification
    head; reduction and weights of the authors' code.
    """

    def __init__(
        self,
        objectness: bool = False,
        loss_weight: float = 1.0,
        student_tap: Taps | None = None,
        teacher_tap: Taps | None = None,
    ) -> None:
        own = [CLASSES, OBJECTNESS] if objectness else [CLASSES]
        super().__init__(*default_taps(own if student_tap is None else student_tap, teacher_tap), loss_weight)
        self.objectness = flag('objectness', objectness)

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Refuse heads of other classes, anchors or levels, and heads whose classes share one softmax.

        Args:
            teacher (Teacher): Its head tells how its classes are scored.
            probe (Probe): Maps (1, A K, H, W) of both networks.

        Raises:
            ValueError: If the heads cannot be compared.
        """
        for ours, theirs in map_pairs(self, probe):
            if ours.shape != theirs.shape:
                raise ValueError(
                    'student and teacher must have the same classes, anchors and strides, got class maps '
                    f'{tuple(ours.shape)} and {tuple(theirs.shape)}: use a teacher of the same head and data set, or '
                    'losses on the pyramid alone'
                )
        head = find_module(teacher.module, parse_tap(as_list(self.teacher_tap)[0])[0])
        if not vars(head).get('use_sigmoid_cls', True):
            raise ValueError(
                f'DenseKDLoss compares one sigmoid for each class, got a {type(head).__name__} with a softmax over '
                'classes: use losses on the pyramid, such as PKDLoss'
            )

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of class logits (N, A K, H, W), one or a list of each network."""
        student, teacher = self._levels(student_features), self._levels(teacher_features)
        with torch.autocast(student[0][0].device.type, enabled=False):
            terms = [
                richness_divergence(scores(*ours), scores(*(level.detach() for level in theirs)))
                for ours, theirs in zip(student, teacher)
            ]
        return self.loss_weight * torch.stack(terms).sum()

    def _levels(self, features: Features) -> list[tuple[Tensor, ...]]:
        """Return the maps level by level: class logits, and objectness if there is one."""
        maps = as_maps(features)
        count = len(maps) // 2 if self.objectness else len(maps)
        return list(zip(maps[:count], maps[count:])) if self.objectness else [(level,) for level in maps]
