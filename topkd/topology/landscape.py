"""Persistence landscapes: diagrams to vectors of fixed size, differentiable."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from topkd.topology.diagram_range import Diagrams
from topkd.topology.fitted_range import FittedRange
from topkd.topology.padding import pad_diagrams
from topkd.utils.checks import whole


class PersistenceLandscape(FittedRange):
    r"""Turn persistence diagrams into persistence landscapes.

    .. math:: \lambda_k(t) = k\text{-th largest of } \max(0, \min(t - b, d - t)) \text{ over the points } (b, d)

    at even t between the ends of ``sample_range``; 0 beyond the number of points. A landscape determines its diagram,
    if it is fine enough; gudhi's ``representations.Landscape`` is :math:`\sqrt 2` times this one.

    Args:
        num_landscapes (int): Functions k = 1 to this. Defaults to 5.
        resolution (int): Numbers t of each. Defaults to 100.
        sample_range (Sequence[float], optional): Lowest and highest t. None: :meth:`fit` finds them.

    Raises:
        TypeError: If a number is no whole number.
        ValueError: If a number is below 1, or the range not ascending.

    Example:
        >>> landscape = PersistenceLandscape(num_landscapes=2, resolution=5, sample_range=(0.0, 4.0))
        >>> landscape([torch.tensor([[0.0, 4.0], [1.0, 3.0]])]).view(2, 5)
        tensor([[0., 1., 2., 1., 0.],
                [0., 0., 1., 0., 0.]])

    Source: Bubenik, Statistical topological data analysis using persistence landscapes, 2015.
    """

    def __init__(
        self, num_landscapes: int = 5, resolution: int = 100, sample_range: Sequence[float] | None = None
    ) -> None:
        super().__init__(sample_range)
        self.num_landscapes = whole('num_landscapes', num_landscapes, at_least=1)
        self.resolution = whole('resolution', resolution, at_least=1)

    def forward(self, diagrams: Diagrams) -> Tensor:
        """Compute the landscapes of diagrams, in float32 (float64 for float64 diagrams), with gradient.

        Args:
            diagrams (list | Tensor): B diagrams (m_i, 2) of (birth, death), or all in one tensor (B, m, 2).

        Returns:
            Tensor: (B, num_landscapes * resolution), one function after the other, in the unit of the diagrams.

        Raises:
            RuntimeError: If nothing was fitted.
            ValueError: If a diagram is not of shape (m, 2).
        """
        self._check_fitted()
        points = pad_diagrams(diagrams).points.to(self.sample_range.device)
        low, high = self.sample_range.unbind()
        times = low + (high - low) * torch.linspace(0, 1, self.resolution, device=points.device)
        births, deaths = points.unsqueeze(3).unbind(2)
        tents = torch.minimum(times - births, deaths - times).clamp_min(0)
        found = tents.topk(min(self.num_landscapes, tents.shape[1]), dim=1).values
        return F.pad(found, (0, 0, 0, self.num_landscapes - found.shape[1])).flatten(1)
