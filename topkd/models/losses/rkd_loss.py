"""Relational knowledge distillation as a loss of a distiller; the formula: topkd.functional.rkd."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.functional.rkd import angles, relative_distances
from topkd.models.clouds import pool
from topkd.models.losses.distillation_loss import DistillationLoss, Features, single
from topkd.registry import MODELS
from topkd.utils.tensors import full_precision


@MODELS.register_module()
class RKDLoss(DistillationLoss):
    r"""Match the distances between the images of a batch, and the angles between every three of them.

    .. math:: \mathrm{loss\_weight} \left(w_d\, \overline{h(d_S - d_T)} + w_a\, \overline{h(\cos_S - \cos_T)}\right)

    where h is Huber's function with threshold 1, d :func:`relative_distances` and cos :func:`angles`, and the bars are
    means over all pairs and triples. Maps are averaged over their positions.

    Args:
        distance_weight (float): Defaults to 25.
        angle_weight (float): Defaults to 50.
        loss_weight (float): Defaults to 1.0.
        student_tap (str): Defaults to 'neck[0]', the classifier's input.
        teacher_tap (str, optional): None: the student's. Defaults to None.

    Example:
        >>> points = torch.tensor([[0.0, 0.0], [0.0, 1.0], [2.0, 0.0]])
        >>> float(RKDLoss()(points, 3 * points)) < 1e-6
        True

    Source: Park et al., Relational Knowledge Distillation, CVPR 2019, Equations 4 to 9; means and weights of the CRD
    benchmark.
    """

    capturable = True

    def __init__(
        self,
        distance_weight: float = 25.0,
        angle_weight: float = 50.0,
        loss_weight: float = 1.0,
        student_tap: str = 'neck[0]',
        teacher_tap: str | None = None,
    ) -> None:
        super().__init__(student_tap, student_tap if teacher_tap is None else teacher_tap, loss_weight)
        self.distance_weight, self.angle_weight = distance_weight, angle_weight

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of features (N, C) or (N, C, H, W); the widths may differ."""
        student, teacher = single(student_features), single(teacher_features)
        with torch.autocast(student.device.type, enabled=False):
            student = pool(full_precision(student))
            teacher = pool(full_precision(teacher)).detach()
            value = student.new_zeros(())
            if self.distance_weight:
                difference = F.smooth_l1_loss(relative_distances(student), relative_distances(teacher))
                value = value + self.distance_weight * difference
            if self.angle_weight:
                value = value + self.angle_weight * F.smooth_l1_loss(angles(student), angles(teacher))
            return self.loss_weight * value
