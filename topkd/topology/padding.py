"""Diagrams of different sizes as one tensor with their numbers of points."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from topkd.topology.diagram_range import Diagrams, as_tensors


class PaddedDiagrams(NamedTuple):
    """Diagrams in one tensor.

    Attributes:
        points (Tensor): (B, m, 2) of (birth, death), filled up with points (0, 0).
        lengths (Tensor): Numbers of points (B, ), int64.

    Example:
        >>> PaddedDiagrams(torch.zeros(1, 3, 2), torch.tensor([2])).mask
        tensor([[ True,  True, False]])
    """

    points: Tensor
    lengths: Tensor

    @property
    def mask(self) -> Tensor:
        """Tensor: Whether a point belongs to its diagram (B, m)."""
        return torch.arange(self.points.shape[1], device=self.points.device) < self.lengths.unsqueeze(1)


def pad_diagrams(diagrams: Diagrams, size: int | None = None) -> PaddedDiagrams:
    """Put diagrams into one tensor, filled up with points (0, 0), which lie on the diagonal.

    Args:
        diagrams (list | Tensor): B diagrams (m_i, 2) of (birth, death), or all in one tensor (B, m, 2).
        size (int, optional): Points of each diagram in the result. None: those of the largest. Defaults to None.

    Returns:
        PaddedDiagrams: Points, in float32 (float64 if a diagram is), and lengths, with gradient.

    Raises:
        ValueError: If a diagram is not of shape (m, 2), or larger than ``size``.

    Example:
        >>> padded = pad_diagrams([torch.tensor([[0.0, 1.0]]), torch.empty(0, 2)], size=2)
        >>> padded.points.shape, padded.lengths
        (torch.Size([2, 2, 2]), tensor([1, 0]))
    """
    points, lengths = _filled(diagrams)
    if points.ndim != 3 or points.shape[2] != 2:
        raise ValueError(f'diagrams must be a list of (m, 2) or one tensor (B, m, 2), got {tuple(points.shape)}')
    if size is not None and size < points.shape[1]:
        raise ValueError(f'size must hold the largest diagram, which has {points.shape[1]} points, got {size}')
    if size is not None:
        points = F.pad(points, (0, 0, 0, size - points.shape[1]))
    return PaddedDiagrams(points if points.dtype == torch.float64 else points.float(), lengths)


def _filled(diagrams: Diagrams) -> tuple[Tensor, Tensor]:
    if isinstance(diagrams, Tensor):
        # made on the device, so that nothing waits for it
        return diagrams, torch.full(diagrams.shape[:1], diagrams.shape[-2], device=diagrams.device)
    tensors = as_tensors(diagrams)
    if any(tensor.dtype == torch.float64 for tensor in tensors):
        tensors = [tensor.double() for tensor in tensors]
    padded = nn.utils.rnn.pad_sequence(tensors or [torch.empty(0, 2)], batch_first=True)
    lengths = torch.tensor([len(tensor) for tensor in tensors], dtype=torch.long, device=padded.device)
    return padded[: len(tensors)], lengths
