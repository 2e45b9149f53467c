"""PersLay: a layer with learned parameters that turns diagrams into vectors."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from topkd.topology.diagram_range import Diagrams
from topkd.topology.fitted_range import FittedRange
from topkd.topology.padding import pad_diagrams
from topkd.utils.checks import choice, number, whole

TRANSFORMATIONS = ('gaussian', 'triangle', 'line')
OPERATORS = ('sum', 'mean', 'max')


class PersLay(FittedRange):
    r"""Turn diagrams into vectors by a transformation of their points, weights, and an operator over the points.

    .. math:: \mathrm{PersLay}(D)_q = \mathrm{op}_{(b, d) \in D}\ w(b, d)\, \phi_q(b, d), \qquad
        w(b, d) = c\, (d - b)^{\mathrm{power}}

    with births and deaths moved to [0, 1] by ``sample_range`` first, so that the parameters have no unit. The
    transformations, with what is learned of each besides c:

    - 'gaussian': :math:`\exp(-|(b, d) - t_q|^2 / 2 \sigma^2)`, centers and sigma;
    - 'triangle': :math:`\max(0, \min(t_q - b, d - t_q))`, samples;
    - 'line': :math:`\langle (b, d), e_q \rangle + o_q`, directions and offsets.

    Args:
        size (int): Entries q of a vector. Defaults to 50.
        transformation (str): Defaults to 'gaussian'.
        operator (str): ``'sum'``, ``'mean'`` or ``'max'``; an empty diagram gives zeros. Defaults to 'sum'.
        power (float): 0 or more; with 0 all points weigh the same. Defaults to 1.0.
        sample_range (Sequence[float], optional): Lowest birth and highest death. None: :meth:`fit` finds them.

    Raises:
        TypeError: If a number is none.
        ValueError: If a word is unknown, or a number too small.

    Example:
        >>> layer = PersLay(size=8, operator='mean', sample_range=(0.0, 2.0))
        >>> layer([torch.tensor([[0.0, 1.0], [0.5, 2.0]]), torch.empty(0, 2)]).shape
        torch.Size([2, 8])
        >>> sorted(name for name, _ in layer.named_parameters())
        ['bandwidth', 'centers', 'scale']

    Source: Carriere et al., PersLay: a neural network layer for persistence diagrams and new graph topological
    signatures, 2020, Section 3.
    """

    def __init__(
        self,
        size: int = 50,
        transformation: str = 'gaussian',
        operator: str = 'sum',
        power: float = 1.0,
        sample_range: Sequence[float] | None = None,
    ) -> None:
        super().__init__(sample_range)
        self.size = whole('size', size, at_least=1)
        self.transformation = choice('transformation', transformation, TRANSFORMATIONS)
        self.operator = choice('operator', operator, OPERATORS)
        self.power = number('power', power, at_least=0)
        self.scale = nn.Parameter(torch.ones(()))
        if transformation == 'gaussian':
            self.centers = nn.Parameter(torch.rand(self.size, 2).sort(dim=1).values)  # above the diagonal
            self.bandwidth = nn.Parameter(torch.tensor(0.1))
        elif transformation == 'triangle':
            self.samples = nn.Parameter(torch.rand(self.size))
        else:
            self.lines = nn.Linear(2, self.size)

    def forward(self, diagrams: Diagrams) -> Tensor:
        """Compute the vectors of diagrams, with gradient with respect to diagrams and parameters.

        Args:
            diagrams (list | Tensor): B diagrams (m_i, 2) of (birth, death), or all in one tensor (B, m, 2).

        Returns:
            Tensor: (B, size).

        Raises:
            RuntimeError: If nothing was fitted.
            ValueError: If a diagram is not of shape (m, 2).
        """
        self._check_fitted()
        padded = pad_diagrams(diagrams)
        low, high = self.sample_range.unbind()
        points = (padded.points.to(self.sample_range) - low) / (high - low)
        mask = padded.mask.to(points.device).unsqueeze(2)
        if not points.shape[1]:
            return points.new_zeros(len(points), self.size)
        values = self.scale * self._weights(points) * self._transformed(points)
        if self.operator == 'max':
            found = values.masked_fill(~mask, -torch.inf).amax(dim=1)
            return found.where(mask.any(dim=1), 0)
        total = values.where(mask, 0).sum(dim=1)
        return total / mask.sum(dim=1).clamp_min(1) if self.operator == 'mean' else total

    def _weights(self, points: Tensor) -> Tensor:
        """Return the powers of persistences (B, m, 1); those of points on the diagonal without a gradient."""
        persistences = points[..., 1:] - points[..., :1]
        if not self.power:
            return torch.ones_like(persistences)
        lasting = persistences > 0
        return (persistences.where(lasting, 1) ** self.power).where(lasting, 0)  # a power may have no derivative at 0

    def _transformed(self, points: Tensor) -> Tensor:
        """Return phi of the points (B, m, 2) -> (B, m, size)."""
        if self.transformation == 'gaussian':
            squared = (points.unsqueeze(2) - self.centers).square().sum(dim=3)
            return (-0.5 * squared / self.bandwidth.square()).exp()
        if self.transformation == 'triangle':
            births, deaths = points.unsqueeze(3).unbind(2)
            return torch.minimum(self.samples - births, deaths - self.samples).clamp_min(0)
        return self.lines(points)

    def extra_repr(self) -> str:
        """Show the size and how vectors are made."""
        return f"{self.size}, transformation='{self.transformation}', operator='{self.operator}', power={self.power}"
