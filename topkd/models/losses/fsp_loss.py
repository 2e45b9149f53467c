"""Flow of the solution procedure as a loss of a distiller; the formula: topkd.functional.fsp."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from topkd.functional.fsp import flow_distance
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import LAYERS, as_maps, default_taps, map_pairs
from topkd.models.teacher import Teacher
from topkd.registry import MODELS


@MODELS.register_module()
class FSPLoss(DistillationLoss):
    """Match the flow matrices between consecutive maps of two networks of equal widths.

    The paper and the CRD benchmark train this term alone in a first stage and the classifier afterwards. Here it
    stands beside the student's own loss; for the two stages train once with the student's loss weight 0, and then
    the plain student from that checkpoint.

    Args:
        loss_weight (float): Defaults to 1.0; the benchmark's is 50.
        student_tap (Sequence[str]): At least two maps of the student, from shallow to deep. Defaults to the stem and
            the three stages of a CIFAR ResNet.
        teacher_tap (Sequence[str], optional): Maps of the teacher. None: as the student's. Defaults to None.

    Example:
        >>> import torch
        >>> maps = [torch.rand(2, width, 8, 8) for width in (4, 8, 16)]
        >>> FSPLoss()(maps, maps)
        tensor(0.)

    Source: Yim et al., A Gift from Knowledge Distillation, Equations 1 and 2.
    """

    def __init__(
        self,
        loss_weight: float = 1.0,
        student_tap: Sequence[str] = ('backbone.stem', *LAYERS),
        teacher_tap: Sequence[str] | None = None,
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Refuse taps that are no pairs of maps, a single pair, and widths that differ.

        Args:
            teacher (Teacher): See :meth:`DistillationLoss.bind`.
            probe (Probe): L maps (1, C_l, H_l, W_l) of each network.

        Raises:
            ValueError: If there are fewer than two pairs of maps, or the maps of a pair differ in width.
        """
        pairs = map_pairs(self, probe)
        if len(pairs) < 2:
            raise ValueError(f'FSPLoss compares consecutive maps, got {len(pairs)} tap: name at least two')
        widths = [[level.shape[1] for level in network] for network in zip(*pairs)]
        if widths[0] != widths[1]:
            raise ValueError(
                f'FSPLoss needs maps of equal widths, the student has {widths[0]}, the teacher {widths[1]}: choose a '
                'pair of one family, or another method'
            )

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of lists of maps (N, C_l, H_l, W_l)."""
        return self.loss_weight * flow_distance(as_maps(student_features), as_maps(teacher_features))
