"""Contrastive representation distillation as a loss of a distiller; the formula: topkd.functional.crd."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from topkd.functional.crd import noise_contrast
from topkd.models.clouds import pool
from topkd.models.indices import indices_of
from topkd.models.losses.distillation_loss import DistillationLoss, Features, Probe, single
from topkd.models.losses.parts.feature_maps import unbound
from topkd.models.losses.parts.labels import labels_of
from topkd.models.losses.parts.memory_bank import (
    MemoryBank,
    OtherClasses,
    fit_banks,
    fix_normalizers,
    training_labels,
    unprepared,
)
from topkd.models.teacher import Teacher
from topkd.registry import MODELS
from topkd.utils.tensors import full_precision


@MODELS.register_module()
class CRDLoss(DistillationLoss):
    """Tell the teacher's embedding of an image from those of images of other classes, and the other way round.

    Both embeddings are linear layers to the unit sphere. Negatives come from two banks that hold the embeddings of the
    whole training set; they are drawn uniformly among the images of other classes, with replacement.

    Args:
        num_samples (int, optional): Images of the training set. None: as many as it has. Defaults to None.
        embedding (int): Width of the embeddings. Defaults to 128.
        num_negatives (int): K. Defaults to 16384.
        temperature (float): Defaults to 0.07.
        momentum (float): Of the banks. Defaults to 0.5.
        loss_weight (float): Defaults to 1.0; the benchmark's is 0.8.
        student_tap (str): Defaults to 'neck[0]', the classifier's input; maps are averaged over their positions.
        teacher_tap (str, optional): None: the student's. Defaults to None.

    Raises:
        ValueError: If a number is not positive.

    Example:
        >>> loss = CRDLoss(num_samples=100)
        >>> loss.bind(None, Probe(torch.rand(1, 16), torch.rand(1, 64)))
        >>> loss.embed_teacher, loss.teacher_bank(torch.tensor([3, 7])).shape
        (Linear(in_features=64, out_features=128, bias=True), torch.Size([2, 128]))

    Source: Tian et al., Contrastive Representation Distillation, ICLR 2020; constants and sampling of the authors'
    code.
    """

    normalizers: Tensor

    def __init__(
        self,
        num_samples: int | None = None,
        embedding: int = 128,
        num_negatives: int = 16_384,
        temperature: float = 0.07,
        momentum: float = 0.5,
        loss_weight: float = 1.0,
        student_tap: str = 'neck[0]',
        teacher_tap: str | None = None,
    ) -> None:
        super().__init__(student_tap, student_tap if teacher_tap is None else teacher_tap, loss_weight)
        if min(embedding, num_negatives) < 1 or temperature <= 0:
            raise ValueError(
                'embedding, num_negatives and temperature must be positive, got '
                f'{embedding}, {num_negatives} and {temperature}'
            )
        self.embedding = embedding
        self.num_negatives, self.temperature = num_negatives, temperature
        self.student_bank = MemoryBank(num_samples, embedding, momentum)
        self.teacher_bank = MemoryBank(num_samples, embedding, momentum)
        # of the scores of student and teacher; fixed in the first step
        self.register_buffer('normalizers', torch.full((2,), -1.0))
        self.embed_student: nn.Linear | None = None
        self.embed_teacher: nn.Linear | None = None
        self.negatives: OtherClasses | None = None

    def bind(self, teacher: Teacher, probe: Probe) -> None:
        """Make the two linear layers for the widths of the probe; see :meth:`DistillationLoss.bind`."""
        self.embed_student = nn.Linear(pool(probe.student).shape[1], self.embedding)
        self.embed_teacher = nn.Linear(pool(probe.teacher).shape[1], self.embedding)

    @property
    def num_samples(self) -> int:
        """int: Images of the training set, 0 before they are known."""
        return len(self.teacher_bank.embeddings)

    def prepare(self, dataset: Any) -> None:
        """Learn the classes of the training set's images, of which negatives are drawn.

        Args:
            dataset (Any): The training set.

        Raises:
            TypeError: If it does not tell its labels.
            ValueError: If it has another number of images than the banks.
        """
        fit_banks(self, (self.student_bank, self.teacher_bank), dataset)
        self.negatives = OtherClasses(training_labels(dataset)).to(self.normalizers.device)

    def forward(
        self, student_features: Features, teacher_features: Features, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Compute the weighted loss of features (N, C) or (N, C, H, W), and move the banks in training."""
        if self.embed_student is None or self.embed_teacher is None:
            raise unbound(self)
        if self.negatives is None:
            raise unprepared(self)
        student, teacher = single(student_features), single(teacher_features)
        indices, labels = (of(data_samples).to(student.device) for of in (indices_of, labels_of))
        drawn = torch.cat([indices[:, None], self.negatives.draw(labels, self.num_negatives)], dim=1)
        with torch.autocast(student.device.type, enabled=False):
            student = F.normalize(self.embed_student(pool(full_precision(student))))
            teacher = F.normalize(self.embed_teacher(pool(full_precision(teacher)).detach()))
            scores = torch.stack(
                [self._scores(self.teacher_bank(drawn), student), self._scores(self.student_bank(drawn), teacher)]
            )
            fix_normalizers(self.normalizers, scores, self.num_samples)
            scores = scores / self.normalizers[:, None, None]
            value = noise_contrast(scores[0], self.num_samples) + noise_contrast(scores[1], self.num_samples)
            if self.training:
                self.student_bank.update(indices, student)
                self.teacher_bank.update(indices, teacher)
            return self.loss_weight * value

    def _scores(self, bank: Tensor, embeddings: Tensor) -> Tensor:
        """Compare embeddings (N, d) with their candidates (N, 1 + K, d)."""
        return (torch.bmm(bank, embeddings[:, :, None])[:, :, 0] / self.temperature).exp()
