"""Relational knowledge distillation: distances and angles within a batch (Park et al. 2019)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.models.clouds import full_precision, pool
from topkd.models.losses.distillation_loss import DistillationLoss, Features, single
from topkd.registry import MODELS


def relative_distances(points: Tensor) -> Tensor:
    r"""Compute all distances, divided by the mean of those that are not 0.

    Args:
        points (Tensor): (N, C).

    Returns:
        Tensor: (N, N), symmetric with a diagonal of 0; all 0 if the points are equal.

    Example:
        >>> relative_distances(torch.tensor([[0.0], [1.0], [3.0]]))
        tensor([[0.0000, 0.5000, 1.5000],
                [0.5000, 0.0000, 1.0000],
                [1.5000, 1.0000, 0.0000]])

    Source: Equation 6.
    """
    distances = (points[:, None] - points[None]).norm(dim=2)
    mean = distances.sum() / (distances > 0).sum().clamp_min(1)
    return distances / mean.clamp_min(torch.finfo(points.dtype).tiny)


def angles(points: Tensor) -> Tensor:
    r"""Compute the cosine of the angle at every point between every two others.

    .. math:: \cos \angle\, x_j x_i x_k = \left\langle \frac{x_j - x_i}{\|x_j - x_i\|},
        \frac{x_k - x_i}{\|x_k - x_i\|} \right\rangle

    Args:
        points (Tensor): (N, C).

    Returns:
        Tensor: (N, N, N), by i, j, k; 0 where two of the points are equal.

    Example:
        >>> angles(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]))[0, 1]
        tensor([0., 1., 0.])

    Source: Equation 8.
    """
    directions = F.normalize(points[None] - points[:, None], dim=2)
    return torch.bmm(directions, directions.transpose(1, 2))


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

    static = True

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
