"""Directions from anchors to images, those of one network contrasted with those of another."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from topkd.functional.crd import noise_contrast
from topkd.models.losses.parts.feature_maps import unbound
from topkd.models.losses.parts.memory_bank import MemoryBank, fix_normalizers

SHIFT = 1e-6  # added to every entry of a difference, in the authors' code
SMALLEST = 1e-6  # square of the shortest difference of two embeddings that are not of one image


def relation_cosines(embeddings: Tensor, anchors: Tensor, candidates: Tensor, same: Tensor) -> Tensor:
    r"""Compare the direction from an anchor to an image in one network with directions to candidates in the other.

    .. math:: \cos\left(v_n - a_j + \epsilon,\ c_{nk} - a_j + \epsilon\right)

    The differences of anchors and candidates are not made, which would take N A (1 + K) d numbers.

    Args:
        embeddings (Tensor): v, (N, d), of one network.
        anchors (Tensor): a, (A, d), of the other network.
        candidates (Tensor): c, (N, 1 + K, d), of the other network.
        same (Tensor): Whether a candidate is the anchor's own image, of bools (N, A, 1 + K). Its direction is that of
            epsilon, the same in all dimensions.

    Returns:
        Tensor: (N, A, 1 + K).

    Example:
        >>> v, a, c = torch.tensor([[0.0, 1.0]]), torch.zeros(1, 2), torch.tensor([[[0.0, 2.0], [3.0, 0.0]]])
        >>> relation_cosines(v, a, c, torch.zeros(1, 1, 2, dtype=torch.bool)).round(decimals=3)
        tensor([[[1., 0.]]])

    Source: anchor-based relations of Zhu et al., Complementary Relation Contrastive Distillation; form of the authors'
    code.
    """
    origins = anchors - SHIFT
    directions = F.normalize(embeddings[:, None] - origins, dim=2)
    products = torch.bmm(directions, candidates.transpose(1, 2)) - (directions * origins).sum(dim=2, keepdim=True)
    squares = candidates.square().sum(dim=2)[:, None] + origins.square().sum(dim=1)[:, None]
    lengths = (squares - 2 * (candidates @ origins.T).transpose(1, 2)).clamp_min(SMALLEST).sqrt()
    own = directions.sum(dim=2, keepdim=True) / math.sqrt(anchors.shape[1])
    return torch.where(same, own, products / lengths)


class RelationContrast(nn.Module):
    """Tell an image's relation to the anchors from the relations of other images; anchors are the images of the batch.

    Args:
        num_samples (int, optional): Images of the training set.
        embedding (int): Width of the embeddings, d.
        temperature (float): Divisor of the cosines.
        momentum (float): Of the banks.

    Example:
        >>> contrast = RelationContrast(num_samples=100, embedding=32, temperature=0.05, momentum=0.5)
        >>> contrast.bind(student_width=16, teacher_width=64)
        >>> candidates = torch.tensor([[0, 5, 6], [1, 7, 8]])
        >>> contrast(torch.rand(2, 16), torch.rand(2, 64), candidates[:, 0], candidates).shape
        torch.Size([])
    """

    normalizers: Tensor

    def __init__(self, num_samples: int | None, embedding: int, temperature: float, momentum: float) -> None:
        super().__init__()
        self.embedding, self.temperature = embedding, temperature
        self.student_bank = MemoryBank(num_samples, embedding, momentum)
        self.teacher_bank = MemoryBank(num_samples, embedding, momentum)
        self.register_buffer('normalizers', torch.full((2,), -1.0))
        self.embed_student: nn.Linear | None = None
        self.embed_teacher: nn.Linear | None = None

    def bind(self, student_width: int, teacher_width: int) -> None:
        """Make the two linear layers."""
        self.embed_student = nn.Linear(student_width, self.embedding)
        self.embed_teacher = nn.Linear(teacher_width, self.embedding)

    def forward(self, student: Tensor, teacher: Tensor, indices: Tensor, candidates: Tensor) -> Tensor:
        """Compute the loss of vectors (N, C_S) and (N, C_T), and move the banks in training.

        Args:
            student (Tensor): (N, C_S).
            teacher (Tensor): (N, C_T).
            indices (Tensor): int64 (N,), of the images.
            candidates (Tensor): int64 (N, 1 + K), the image itself first.
        """
        if self.embed_student is None or self.embed_teacher is None:
            raise unbound(self)
        student, teacher = F.normalize(self.embed_student(student)), F.normalize(self.embed_teacher(teacher))
        same = candidates[:, None] == indices[:, None]
        scores = torch.stack(
            [
                (relation_cosines(own, bank(indices), bank(candidates), same) / self.temperature).exp()
                for own, bank in ((student, self.teacher_bank), (teacher, self.student_bank))
            ]
        )
        num_samples = len(self.teacher_bank.embeddings)
        fix_normalizers(self.normalizers, scores, num_samples)
        scores = (scores / self.normalizers[:, None, None, None]).flatten(1, 2)
        if self.training:
            self.student_bank.update(indices, student)
            self.teacher_bank.update(indices, teacher)
        return noise_contrast(scores[0], num_samples) + noise_contrast(scores[1], num_samples)
