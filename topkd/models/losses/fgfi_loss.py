"""Fine-grained feature imitation: the pyramid near objects (Wang et al. 2019)."""

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.structures.bbox import bbox_overlaps
from torch import Tensor, nn

from topkd.functional.maps import to_equal_size
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe
from topkd.models.losses.parts.feature_maps import as_maps, default_taps, map_pairs, unbound
from topkd.models.taps.detector_taps import BOX_PYRAMID, dense_head
from topkd.models.taps.tap import Taps, as_list, parse_tap
from topkd.models.teacher import Teacher
from topkd.registry import MODELS


def near_objects(anchors: Sequence[Tensor], boxes: Tensor, anchors_per_cell: int, threshold: float) -> list[Tensor]:
    r"""Find the cells of a pyramid with an anchor that overlaps an object almost as much as its best anchor does.

    .. math:: \exists\, k, b: \mathrm{IoU}(a_k, b) > \psi \max_{k'} \mathrm{IoU}(a_{k'}, b)

    Args:
        anchors (Sequence[Tensor]): One a level, (cells * anchors_per_cell, 4): x1, y1, x2, y2, the anchors of a cell
            together.
        boxes (Tensor): Annotated objects of one image, (M, 4).
        anchors_per_cell (int): K.
        threshold (float): psi, from 0 to 1.

    Returns:
        list[Tensor]: Of bools, (cells,), one a level.

    Example:
        >>> level = torch.tensor([[0.0, 0, 10, 10], [10, 0, 20, 10], [40, 0, 50, 10]])
        >>> near_objects([level], torch.tensor([[4.0, 0, 14, 10]]), 1, 0.5)
        [tensor([ True,  True, False])]

    Source: Section 3.2.
    """
    sizes = [len(level) for level in anchors]
    if not len(boxes):
        return [level.new_zeros(len(level) // anchors_per_cell, dtype=torch.bool) for level in anchors]
    overlaps = bbox_overlaps(torch.cat(list(anchors)), boxes)
    near = (overlaps > threshold * overlaps.amax(dim=0)).any(dim=1)
    return [part.reshape(-1, anchors_per_cell).any(dim=1) for part in near.split(sizes)]


@MODELS.register_module()
class FGFILoss(DistillationLoss):
    r"""Imitate the teacher's pyramid at the cells near annotated objects, after a 3x3 convolution of the student's.

    .. math:: \frac{\mathrm{loss\_weight}}{2 N_p} \sum_{p\ \mathrm{near}} \sum_c (\mathrm{conv}(f^S)_{pc} - f^T_{pc})^2

    where N_p is the number of such cells in the batch, all levels together.

    Args:
        threshold (float): Share of the best overlap, psi. Defaults to 0.5.
        loss_weight (float): Defaults to 1.0; the authors' is 0.01.
        student_tap (str | Sequence[str]): Levels of the pyramid, ``neck[i]``. Defaults to the four that a box head
            reads.
        teacher_tap (str | Sequence[str], optional): None: the student's. Defaults to None.

    Raises:
        ValueError: If ``threshold`` is not from 0 to 1.

    Source: Wang et al., Distilling Object Detectors with Fine-grained Feature Imitation, CVPR 2019, Equation 3. The
    best anchor of an object is looked for on all tapped levels; the paper describes one level.
    """

    def __init__(
        self,
        threshold: float = 0.5,
        loss_weight: float = 1.0,
        student_tap: Taps = BOX_PYRAMID,
        teacher_tap: Taps | None = None,
    ) -> None:
        super().__init__(*default_taps(student_tap, teacher_tap), loss_weight)
        if not 0 <= threshold < 1:
            raise ValueError(f'threshold must be from 0 to below 1, got {threshold}')
        self.threshold = threshold
        self.adaptations = nn.ModuleList()
        self.anchors: Any = None

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make the adaptations, and take the anchors of the teacher's detector.

        Args:
            teacher (Teacher): A detector with anchors: of an RPN or of a one-stage head.
            probe (Probe): Maps (1, C, H, W) of both networks.

        Raises:
            ValueError: If the detector has no anchors, or a tap is no level of them.
        """
        pairs = map_pairs(self, probe)
        network = teacher.module
        self.anchors = getattr(dense_head(network), 'prior_generator', None)
        if not hasattr(self.anchors, 'num_base_anchors'):
            raise ValueError(
                'FGFILoss needs a teacher with anchors, such as FasterRCNN or RetinaNet, got '
                f'{type(network).__name__}: '
                'choose another teacher, or PKDLoss'
            )
        self.levels = [parse_tap(path)[1] for path in as_list(self.teacher_tap)]
        if not all(0 <= level < self.anchors.num_levels for level in self.levels):
            raise ValueError(
                'FGFILoss needs taps that name levels of the pyramid, neck[0] to '
                f'neck[{self.anchors.num_levels - 1}], got '
                f'{as_list(self.teacher_tap)}: correct teacher_tap'
            )
        self.adaptations = nn.ModuleList(
            nn.Conv2d(ours.shape[1], theirs.shape[1], 3, padding=1) for ours, theirs in pairs
        )

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of maps (N, C, H, W); ``data_samples`` are mmdet's, with ``gt_instances``.

        A batch without objects costs 0, with a graph.
        """
        if not len(self.adaptations):
            raise unbound(self)
        if data_samples is None or not all(hasattr(sample, 'gt_instances') for sample in data_samples):
            raise ValueError(
                'FGFILoss needs annotated boxes, got data samples without gt_instances: use it on detectors'
            )
        adapted = [layer(level) for layer, level in zip(self.adaptations, as_maps(student_features))]
        pairs = [to_equal_size(ours, theirs.detach()) for ours, theirs in zip(adapted, as_maps(teacher_features))]
        total, cells = adapted[0].new_zeros((), dtype=torch.float32), adapted[0].new_zeros((), dtype=torch.long)
        for (student, teacher), mask in zip(pairs, self._masks(pairs, data_samples)):
            squares = (student - teacher).float().square().sum(dim=1).flatten(1)
            total = total + torch.where(mask, squares, 0).sum()
            cells = cells + mask.sum()
        return self.loss_weight * total / (2 * cells.clamp_min(1))

    def _masks(self, pairs: Sequence[tuple[Tensor, Tensor]], data_samples: Sequence[Any]) -> list[Tensor]:
        """Return the cells near objects, bools (N, H W), one tensor a level."""
        device = pairs[0][1].device
        grids = [
            self.anchors.single_level_grid_priors(tuple(teacher.shape[2:]), level, device=device)
            for level, (_, teacher) in zip(self.levels, pairs)
        ]
        count = self.anchors.num_base_anchors[0]
        images = [
            near_objects(grids, torch.as_tensor(sample.gt_instances.bboxes).to(grids[0]), count, self.threshold)
            for sample in data_samples
        ]
        return [torch.stack(level) for level in zip(*images)]
