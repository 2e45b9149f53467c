"""Class attention transfer as a loss of a distiller; the formula: topkd.functional.catkd."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from topkd.functional.catkd import activation_distance, class_activation_maps
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import default_taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import full_precision


@MODELS.register_module()
class CATKDLoss(DistillationLoss):
    """Match the class activation maps of both networks.

    The classifiers are read where they are: a tap is a map together with the weight of the linear layer that reads its
    average. So neither network is rebuilt. The student's classifier learns from this term too.

    Args:
        resolution (int): Cells along height and width. Defaults to 2; the authors use 4 for the ShuffleNets.
        normalize (bool): Whether each map is divided by its length. Defaults to False, the authors' setting for pairs
            of one family; they use True for pairs of different families.
        loss_weight (float): Defaults to 1.0. The authors': 0.7 for ResNet56-ResNet20, see
            configs/_base_/losses/catkd.py.
        student_tap (Sequence[str]): Map and weight of the student. Defaults to ('backbone[0]', 'head.fc.weight').
        teacher_tap (Sequence[str], optional): The same of the teacher. None: as the student's. Defaults to None.

    Raises:
        ValueError: If ``resolution`` is not positive.

    Example:
        >>> student = [torch.rand(2, 16, 8, 8), torch.rand(10, 16)]
        >>> teacher = [torch.rand(2, 64, 8, 8), torch.rand(10, 64)]
        >>> CATKDLoss(resolution=2)(student, teacher).shape
        torch.Size([])

    Source: Guo et al., Class Attention Transfer Based Knowledge Distillation; constants from the authors' code.
    """

    capturable = True

    def __init__(
        self,
        resolution: int = 2,
        normalize: bool = False,
        loss_weight: float = 1.0,
        student_tap: Sequence[str] = ('backbone[0]', 'head.fc.weight'),
        teacher_tap: Sequence[str] | None = None,
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        if resolution < 1:
            raise ValueError(f'resolution of CATKDLoss must be positive, got {resolution}')
        self.resolution = resolution
        self.normalize = normalize

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Refuse taps that are no map with its classifier, and different classes.

        Args:
            teacher (Teacher): See :meth:`DistillationLoss.bind`.
            probe (Probe): A map (1, C, H, W) and a weight (K, C) of each network.

        Raises:
            ValueError: If the shapes are others.
        """
        for features, taps in ((probe.student, self.student_tap), (probe.teacher, self.teacher_tap)):
            shapes = [] if isinstance(features, Tensor) else [tuple(level.shape) for level in features]
            if [len(shape) for shape in shapes] != [4, 2] or shapes[0][1] != shapes[1][1]:
                raise ValueError(
                    f'CATKDLoss needs a map (N, C, H, W) and the weight (K, C) of its classifier, taps {taps} return '
                    f"{shapes}: name both, such as ['backbone[0]', 'head.fc.weight']"
                )
        ours, theirs = len(probe.student[1]), len(probe.teacher[1])
        if ours != theirs:
            raise ValueError(
                f'CATKDLoss needs the same classes, the student has {ours}, the teacher {theirs}: use a teacher of the '
                'same data set'
            )

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of maps (N, C, H, W) with weights (K, C)."""
        features, weight = full_precision(student_features)
        teacher_map, teacher_weight = full_precision(teacher_features)
        with torch.autocast(features.device.type, enabled=False):
            student = class_activation_maps(features, weight, self.resolution)
            teacher = class_activation_maps(teacher_map.detach(), teacher_weight.detach(), self.resolution)
            return self.loss_weight * activation_distance(student, teacher, self.normalize)
