"""Probabilistic knowledge transfer as a loss of a distiller; the formula: topkd.functional.pkt."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from topkd.functional.pkt import EPS, neighbor_probabilities
from topkd.models.clouds import pool
from topkd.models.losses.distillation_loss import DistillationLoss, Features, single
from topkd.registry import MODELS
from topkd.utils.tensors import full_precision


@MODELS.register_module()
class PKTLoss(DistillationLoss):
    r"""Match the probabilities of being neighbors.

    .. math:: \frac{\mathrm{loss\_weight}}{N^2} \sum_{ij} p^T_{ij} \log \frac{p^T_{ij} + \epsilon}{p^S_{ij} + \epsilon}

    Maps are averaged over their positions; the widths may differ.

    Args:
        loss_weight (float): Defaults to 1.0; the benchmark's is 30000.
        student_tap (str): Defaults to 'neck[0]', the classifier's input.
        teacher_tap (str, optional): None: the student's. Defaults to None.

    Example:
        >>> PKTLoss()(torch.eye(4), torch.eye(4))
        tensor(0.)

    Source: Passalis and Tefas, Learning Deep Representations with Probabilistic Knowledge Transfer, ECCV 2018; mean of
    the CRD benchmark.
    """

    capturable = True

    def __init__(self, loss_weight: float = 1.0, student_tap: str = 'neck[0]', teacher_tap: str | None = None) -> None:
        super().__init__(student_tap, student_tap if teacher_tap is None else teacher_tap, loss_weight)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of features (N, C) or (N, C, H, W)."""
        student, teacher = single(student_features), single(teacher_features)
        with torch.autocast(student.device.type, enabled=False):
            student = neighbor_probabilities(pool(full_precision(student)))
            teacher = neighbor_probabilities(pool(full_precision(teacher)).detach())
            return self.loss_weight * (teacher * ((teacher + EPS) / (student + EPS)).log()).mean()
