"""Range and spacing of the points of diagrams, to which persistence images are fitted."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

Diagrams = Tensor | Sequence[Tensor | np.ndarray]

BANDWIDTH_POINTS = 200
BANDWIDTH_QUANTILE = 0.2
SMALLEST_DISTANCE = 1e-5


class DiagramRange:
    """Collect, chunk by chunk, the extremes and the first 200 of all points (b, p) with persistence p = d - b > 0.

    It holds a few numbers only, however many diagrams went by, and can be sent between processes.

    Example:
        >>> collected = DiagramRange().update([torch.tensor([[0.0, 1.0], [0.5, 2.0]])])
        >>> collected.im_range
        [0.0, 0.5, 1.0, 1.5]
        >>> round(collected.bandwidth(), 3)
        0.707

    Source: Appendix B.
    """

    def __init__(self) -> None:
        self.first = np.empty((0, 2))
        self.im_range: list[float] | None = None

    def update(self, diagrams: Diagrams) -> 'DiagramRange':
        """Take in a chunk of diagrams.

        Args:
            diagrams (list | Tensor): Diagrams (m_i, 2) of (birth, death), or all in one tensor (B, m, 2).

        Returns:
            DiagramRange: Itself.

        Raises:
            ValueError: If a birth or death is not finite.
        """
        points = persistence_points(diagrams).detach().cpu().double().numpy()
        if not np.isfinite(points).all():
            raise ValueError('diagrams to fit on must be finite: leave out essential classes (infinite deaths)')
        points = points[points[:, 1] > 0]  # gudhi's diagrams have no others
        if len(points):
            lowest, highest = points.min(axis=0), points.max(axis=0)
            self._add(points[:BANDWIDTH_POINTS], [lowest[0], highest[0], lowest[1], highest[1]])
        return self

    def merge(self, others: Iterable['DiagramRange']) -> 'DiagramRange':
        """Take in what others collected of later diagrams, in their order.

        Args:
            others (Iterable[DiagramRange]): For example those of the other processes.

        Returns:
            DiagramRange: Itself.
        """
        for other in others:
            if other.im_range is not None:
                self._add(other.first, other.im_range)
        return self

    def _add(self, first: np.ndarray, im_range: Sequence[float]) -> None:
        self.first = np.concatenate([self.first, first])[:BANDWIDTH_POINTS]
        old = im_range if self.im_range is None else self.im_range
        self.im_range = [float(pick(*pair)) for pick, pair in zip((min, max, min, max), zip(old, im_range))]

    def bandwidth(self) -> float:
        """Return the 0.2 quantile of the pairwise distances larger than 1e-5 among the first 200 points (b, p).

        Raises:
            ValueError: If there are no two distinct points.
        """
        distances = np.linalg.norm(self.first[:, None] - self.first[None], axis=2)
        distances = distances[distances > SMALLEST_DISTANCE]
        if not len(distances):
            raise ValueError(
                f'persistence images need two points more than {SMALLEST_DISTANCE} apart among the first '
                f'{BANDWIDTH_POINTS} of the diagrams, got {len(self.first)} points: fit on more diagrams'
            )
        return float(np.quantile(distances, BANDWIDTH_QUANTILE))


def persistence_points(diagrams: Diagrams) -> Tensor:
    """Return all points of all diagrams as (birth, persistence).

    Args:
        diagrams (list | Tensor): Diagrams (m_i, 2) of (birth, death), or all in one tensor (B, m, 2).

    Returns:
        Tensor: (sum of m_i, 2).

    Raises:
        TypeError: If they are something else.
        ValueError: If one is of another shape.

    Example:
        >>> persistence_points([torch.tensor([[0.0, 1.0], [0.5, 2.0]])])
        tensor([[0.0000, 1.0000],
                [0.5000, 1.5000]])
    """
    if isinstance(diagrams, Tensor) and (diagrams.ndim != 3 or diagrams.shape[2] != 2):
        raise ValueError(f'diagrams must be a list of (m, 2) or one tensor (B, m, 2), got {tuple(diagrams.shape)}')
    parts = [diagrams] if isinstance(diagrams, Tensor) else as_tensors(diagrams)
    points = torch.cat([part.reshape(-1, 2) for part in parts]) if parts else torch.empty(0, 2)
    return torch.stack((points[:, 0], points[:, 1] - points[:, 0]), dim=1)


def as_tensors(diagrams: Sequence[Tensor | np.ndarray]) -> list[Tensor]:
    """Return a list of diagrams as tensors (m_i, 2).

    Raises:
        TypeError: If they are something else.
        ValueError: If one has another shape.

    Example:
        >>> [tuple(diagram.shape) for diagram in as_tensors([np.zeros((3, 2)), torch.empty(0)])]
        [(3, 2), (0, 2)]
    """
    if not isinstance(diagrams, Iterable) or isinstance(diagrams, (str, Mapping)):
        raise TypeError(
            f'diagrams must be a list of (m, 2) or one tensor (B, m, 2), got {type(diagrams).__name__}: give those of '
            'rips_diagrams'
        )
    tensors = [torch.as_tensor(diagram) for diagram in diagrams]
    for index, diagram in enumerate(tensors):
        if diagram.numel() and (diagram.ndim != 2 or diagram.shape[1] != 2):
            raise ValueError(
                f'diagrams must have shape (m, 2) of (birth, death), got {tuple(diagram.shape)} at {index}'
            )
    return [diagram.reshape(-1, 2) for diagram in tensors]
