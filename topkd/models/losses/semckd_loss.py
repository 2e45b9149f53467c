"""Cross-layer distillation as a loss of a distiller; the formula: topkd.functional.semckd."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from topkd.functional.maps import to_equal_size
from topkd.functional.semckd import assigned_distance
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import LAYERS, as_maps, default_taps, map_pairs, unbound
from topkd.models.taps.tap import Taps
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import full_precision


def embedding(width: int, out: int) -> nn.Sequential:
    """Return the network that turns rows of similarities into queries or keys.

    Example:
        >>> embedding(64, 16)(torch.rand(8, 64)).shape
        torch.Size([8, 16])
    """
    return nn.Sequential(nn.Linear(width, 2 * out), nn.ReLU(), nn.Linear(2 * out, out))


def regressor(in_channels: int, out_channels: int) -> nn.Sequential:
    """Return the network that maps a student's map to the channels of a teacher's.

    Example:
        >>> regressor(16, 64)(torch.rand(2, 16, 8, 8)).shape
        torch.Size([2, 64, 8, 8])
    """
    middle = 2 * out_channels
    return nn.Sequential(
        nn.Conv2d(in_channels, middle, 1, bias=False),
        nn.BatchNorm2d(middle),
        nn.ReLU(),
        nn.Conv2d(middle, middle, 3, padding=1, bias=False),
        nn.BatchNorm2d(middle),
        nn.ReLU(),
        nn.Conv2d(middle, out_channels, 1, bias=False),
    )


@MODELS.register_module()
class SemCKDLoss(DistillationLoss):
    """Match every student layer with all teacher layers, weighted by the attention between their similarities.

    Queries and keys are made of an image's similarities to all images of the batch, so the batch size is part of the
    loss.

    Args:
        batch_size (int): Images of a batch of one process. Defaults to 64.
        factor (int): Queries and keys have batch_size / factor entries. Defaults to 4.
        loss_weight (float): Defaults to 1.0; the authors' is 400.
        student_tap (Sequence[str]): Maps of the student. Defaults to the three stages of a CIFAR ResNet.
        teacher_tap (Sequence[str], optional): Maps of the teacher, any number. None: the student's. Defaults to None.

    Raises:
        ValueError: If ``batch_size`` is less than ``factor``.

    Example:
        >>> loss = SemCKDLoss(batch_size=8)
        >>> loss.bind(None, Probe([torch.rand(1, 16, 8, 8)], [torch.rand(1, 64, 8, 8), torch.rand(1, 32, 4, 4)]))
        >>> loss([torch.rand(8, 16, 8, 8)], [torch.rand(8, 64, 8, 8), torch.rand(8, 32, 4, 4)]).shape
        torch.Size([])

    Source: Chen et al., Cross-Layer Distillation with Semantic Calibration, AAAI 2021, Equations 4 to 7; networks of
    the authors' code.
    """

    def __init__(
        self,
        batch_size: int = 64,
        factor: int = 4,
        loss_weight: float = 1.0,
        student_tap: Taps = LAYERS,
        teacher_tap: Taps | None = None,
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        if not 1 <= factor <= batch_size:
            raise ValueError(f'batch_size must be at least factor, got {batch_size} and {factor}')
        self.batch_size, self.factor = batch_size, factor
        self.queries, self.keys, self.regressors = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make the networks of all pairs of layers.

        Args:
            teacher (Teacher): Not asked.
            probe (Probe): Maps (1, C, H, W) of both networks.

        Raises:
            ValueError: If a tap returns no map.
        """
        student, teacher_maps = as_maps(probe.student), as_maps(probe.teacher)
        # their numbers may differ: only that all are maps is asked
        map_pairs(self, Probe(student, [student[0]] * len(student)))
        map_pairs(self, Probe([teacher_maps[0]] * len(teacher_maps), teacher_maps))
        out = self.batch_size // self.factor
        self.queries = nn.ModuleList(embedding(self.batch_size, out) for _ in student)
        self.keys = nn.ModuleList(embedding(self.batch_size, out) for _ in teacher_maps)
        self.regressors = nn.ModuleList(
            nn.ModuleList(regressor(ours.shape[1], theirs.shape[1]) for theirs in teacher_maps) for ours in student
        )

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of lists of maps (N, C, H, W) with N = ``batch_size``."""
        if not len(self.queries):
            raise unbound(self)
        student = as_maps(student_features)
        teacher = [level.detach() for level in as_maps(teacher_features)]
        if len(student[0]) != self.batch_size:
            raise ValueError(
                f'SemCKDLoss was made for batches of {self.batch_size} images, got {len(student[0])}: set its '
                'batch_size to that of train_dataloader, with drop_last=True'
            )
        attention = self._attention(student, teacher)
        rows = []
        for ours, networks in zip(student, self.regressors):
            for theirs, network in zip(teacher, networks.children()):
                pooled, target = to_equal_size(ours, theirs)
                rows.append((network(pooled) - target).float().square().flatten(1).mean(dim=1))
        distances = torch.stack(rows, dim=1).reshape(attention.shape)
        return self.loss_weight * assigned_distance(attention, distances)

    def _attention(self, student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
        """Return how much every student layer learns from every teacher layer, (N, S, T)."""
        with torch.autocast(student[0].device.type, enabled=False):
            queries = [F.normalize(network(_similarities(level))) for network, level in zip(self.queries, student)]
            keys = [F.normalize(network(_similarities(level))) for network, level in zip(self.keys, teacher)]
            return torch.bmm(torch.stack(queries, dim=1), torch.stack(keys, dim=2)).softmax(dim=2)


def _similarities(features: Tensor) -> Tensor:
    flat = full_precision(features).flatten(1)
    return flat @ flat.T
