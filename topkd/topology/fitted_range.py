"""The base of representations of diagrams that are fitted to one range of births and deaths."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from topkd.topology.diagram_range import Diagrams, persistence_points


class FittedRange(nn.Module):
    """Hold the range of births and deaths that a representation of diagrams looks at, in the state dict.

    Args:
        sample_range (Sequence[float], optional): Lowest birth and highest death. None: :meth:`fit` finds them.

    Attributes:
        sample_range (Tensor): (2, ).

    Raises:
        ValueError: If the range is not two finite numbers in ascending order.

    Example:
        >>> fitted = FittedRange().fit([torch.tensor([[0.0, 1.0], [0.5, 2.0]])])
        >>> fitted.sample_range, fitted.share_outside([torch.tensor([[0.0, 1.5], [0.5, 3.0]])])
        (tensor([0., 2.]), 0.5)
    """

    sample_range: Tensor
    fitted: Tensor

    def __init__(self, sample_range: Sequence[float] | None = None) -> None:
        super().__init__()
        self.register_buffer('sample_range', torch.tensor([0.0, 1.0]))
        self.register_buffer('fitted', torch.tensor(False))
        self._ready = False  # what is known of ``fitted`` without waiting for a GPU
        if sample_range is not None:
            self._set(sample_range)

    @torch.no_grad()
    def fit(self, diagrams: Diagrams) -> 'FittedRange':
        """Take the range of all births and deaths; points of persistence 0 do not count.

        Args:
            diagrams (list | Tensor): Diagrams (m_i, 2) of (birth, death), or all in one tensor (B, m, 2).

        Returns:
            FittedRange: Itself.

        Raises:
            ValueError: If no point has a positive persistence, or one is not finite.
        """
        births, persistences = persistence_points(diagrams).detach().unbind(1)
        deaths = (births + persistences)[persistences > 0]
        if not len(deaths):
            raise ValueError('a range needs a point of positive persistence, the diagrams have none: fit on others')
        self._set([float(births[persistences > 0].min()), float(deaths.max())])
        return self

    def share_outside(self, diagrams: Diagrams) -> float:
        """Return the share of all points whose birth or death lies outside the range; 0 of no points.

        Args:
            diagrams (list | Tensor): As in :meth:`fit`.

        Raises:
            RuntimeError: If nothing was fitted.
        """
        self._check_fitted()
        births, persistences = persistence_points(diagrams).detach().to(self.sample_range.device).unbind(1)
        low, high = self.sample_range
        outside = (births < low) | (births + persistences > high)
        return outside.float().mean().item() if len(outside) else 0.0

    def _set(self, sample_range: Sequence[float]) -> None:
        found = torch.as_tensor(sample_range, dtype=torch.float64)
        if found.shape != (2,) or not found.isfinite().all() or not found[0] < found[1]:
            raise ValueError(
                f'sample_range must be a lowest birth and a higher, finite highest death, got {found.tolist()}'
            )
        self.sample_range.copy_(found)
        self.fitted.fill_(True)
        self._ready = True

    def _check_fitted(self) -> None:
        self._ready = self._ready or bool(self.fitted)
        if not self._ready:
            raise RuntimeError(
                f'{type(self).__name__} was not fitted: call fit(diagrams), give a sample_range, or load a state dict'
            )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._ready = False
