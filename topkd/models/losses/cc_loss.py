"""Correlation congruence as a loss of a distiller; the formula: topkd.functional.cc."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from topkd.functional.cc import correlation_distance
from topkd.models.clouds import pool
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe, single
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import full_precision


@MODELS.register_module()
class CCLoss(DistillationLoss):
    """Match embeddings of both networks, each made by a linear layer that learns.

    Args:
        embedding (int, optional): Width of the embeddings. None: the features themselves, whose widths must agree.
            Defaults to 128.
        loss_weight (float): Defaults to 1.0; the benchmark's is 0.02.
        student_tap (str): Defaults to 'neck[0]', the classifier's input; maps are averaged over their positions.
        teacher_tap (str, optional): None: the student's. Defaults to None.

    Example:
        >>> loss = CCLoss(embedding=32)
        >>> loss.bind(None, Probe(torch.rand(1, 16), torch.rand(1, 64)))
        >>> loss.embed_teacher
        Linear(in_features=64, out_features=32, bias=True)
        >>> loss(torch.rand(8, 16), torch.rand(8, 64)).shape
        torch.Size([])

    Source: Peng et al., Correlation Congruence for Knowledge Distillation, ICCV 2019; embeddings and distance of the
    CRD benchmark.
    """

    capturable = True

    def __init__(
        self,
        embedding: int | None = 128,
        loss_weight: float = 1.0,
        student_tap: str = 'neck[0]',
        teacher_tap: str | None = None,
    ) -> None:
        super().__init__(student_tap, student_tap if teacher_tap is None else teacher_tap, loss_weight)
        if embedding is not None and embedding < 1:
            raise ValueError(f'embedding must be 1 or more, or None, got {embedding}')
        self.embedding = embedding
        self.embed_student: nn.Module | None = None if embedding is not None else nn.Identity()
        self.embed_teacher: nn.Module | None = None if embedding is not None else nn.Identity()

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make the two linear layers.

        Args:
            teacher (Teacher): Not asked.
            probe (Probe): (1, C_S, ...) of the student and (1, C_T, ...) of the teacher.

        Raises:
            ValueError: If there is no embedding and the widths differ.
        """
        widths = pool(probe.student).shape[1], pool(probe.teacher).shape[1]
        if self.embedding is None:
            if widths[0] != widths[1]:
                raise ValueError(
                    f'CCLoss without an embedding needs features of one width, got {widths[0]} of the student and '
                    f'{widths[1]} of the teacher: set embedding=128'
                )
            return
        self.embed_student = nn.Linear(widths[0], self.embedding)
        self.embed_teacher = nn.Linear(widths[1], self.embedding)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of features (N, C) or (N, C, H, W) with N of 2 or more."""
        if self.embed_student is None or self.embed_teacher is None:
            raise RuntimeError('CCLoss has not seen the two networks yet: call bind(teacher, probe) before forward')
        student, teacher = single(student_features), single(teacher_features)
        with torch.autocast(student.device.type, enabled=False):
            student = self.embed_student(pool(full_precision(student)))
            teacher = self.embed_teacher(pool(full_precision(teacher)).detach())
            return self.loss_weight * correlation_distance(student, teacher)
