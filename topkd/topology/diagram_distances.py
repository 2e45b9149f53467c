"""The exact Wasserstein distance between persistence diagrams of any dimension, differentiable."""

import math

import numpy as np
import torch
from torch import Tensor

from topkd.topology.diagram_range import Diagrams, as_tensors


def wasserstein_distance(
    diagrams_a: Diagrams, diagrams_b: Diagrams, order: float = 1.0, internal_p: float = math.inf
) -> Tensor:
    r"""Compute the Wasserstein distances between diagrams, points matched with each other or with the diagonal.

    .. math:: W = \Big(\min_\gamma \sum_{x \in A \cup \Delta} \|x - \gamma(x)\|_{\mathrm{internal\_p}}^{\mathrm{order}}
        \Big)^{1 / \mathrm{order}}

    The best matching is found by scipy, without gradient; the gradient goes through the matched points, as almost
    everywhere in the space of diagrams the matching stays the same. Where two diagrams are equal it is 0. The order and
    the norm are those of ``gudhi.wasserstein.wasserstein_distance``, and so are the defaults. For dimension 0 alone
    :func:`wasserstein_h0` needs no matching, but leaves out the diagonal and averages.

    Args:
        diagrams_a (list | Tensor): B diagrams (m_i, 2) of (birth, death), finite, or all in one tensor (B, m, 2).
        diagrams_b (list | Tensor): B diagrams, of other numbers of points if need be.
        order (float): 1 or more, finite. Defaults to 1.0.
        internal_p (float): The norm in the plane, 1 or more, infinity allowed. Defaults to infinity.

    Returns:
        Tensor: (B, ), in the unit of the diagrams, float64 if a diagram is and float32 otherwise.

    Raises:
        ValueError: If there are not as many diagrams on both sides, one is not of shape (m, 2) or not finite, or order
            or norm are below 1.

    Example:
        >>> one, other = torch.tensor([[1.0, 3.0]]), torch.tensor([[1.5, 3.0], [1.0, 1.2]])
        >>> wasserstein_distance([one], [other])
        tensor([0.6000])

    Source: Cohen-Steiner, Edelsbrunner, Harer and Mileyko, Lipschitz functions have L_p-stable persistence, 2010; the
    gradient: Carriere et al., Optimizing persistent homology based functions, 2021.
    """
    if len(diagrams_a) != len(diagrams_b):
        raise ValueError(
            f'both sides need as many diagrams, got {len(diagrams_a)} and {len(diagrams_b)}: give them in pairs'
        )
    if not 1 <= order < math.inf:
        raise ValueError(f'order must be 1 or more and finite, got {order}')
    if not internal_p >= 1:
        raise ValueError(f'internal_p must be 1 or more, got {internal_p}')
    pairs = list(zip(_tensors(diagrams_a), _tensors(diagrams_b)))
    return torch.stack([_distance(*pair, order, internal_p) for pair in pairs]) if pairs else torch.zeros(0)


def _tensors(diagrams: Diagrams) -> list[Tensor]:
    tensors = as_tensors(list(diagrams))
    for index, diagram in enumerate(tensors):
        if not diagram.isfinite().all():
            raise ValueError(f'diagram {index} is not finite: leave out essential classes (infinite deaths)')
    return [diagram if diagram.dtype == torch.float64 else diagram.float() for diagram in tensors]


def _distance(a: Tensor, b: Tensor, order: float, internal_p: float) -> Tensor:
    dtype = torch.promote_types(a.dtype, b.dtype)
    b = b.to(a.device)
    own_a, own_b = _to_diagonal(a, internal_p), _to_diagonal(b, internal_p)
    with torch.no_grad():
        between = torch.linalg.vector_norm((a.unsqueeze(1) - b).double(), ord=internal_p, dim=2)
        rows, columns = _match(between**order, own_a.double() ** order, own_b.double() ** order)
    matched = torch.linalg.vector_norm(a[rows].to(dtype) - b[columns].to(dtype), ord=internal_p, dim=1)
    costs = torch.cat([matched, _without(own_a, rows).to(dtype), _without(own_b, columns).to(dtype)])
    # the derivative of a root is infinite at 0, and torch's norm has a subgradient there
    return torch.linalg.vector_norm(costs, ord=order)


def _to_diagonal(diagram: Tensor, internal_p: float) -> Tensor:
    """Return the distances of points from the diagonal (m, )."""
    return (diagram[:, 1] - diagram[:, 0]).abs() * 2 ** (1 / internal_p - 1)


def _match(between: Tensor, own_a: Tensor, own_b: Tensor) -> tuple[Tensor, Tensor]:
    """Return the points of a and of b that are matched with each other in the cheapest matching; the others are not."""
    from scipy.optimize import linear_sum_assignment  # here, because scipy takes a while to import

    count_a, count_b = between.shape
    costs = np.zeros((count_a + count_b, count_b + count_a))  # each point of one diagram has a partner on the diagonal
    costs[:count_a, :count_b] = between.cpu()
    costs[:count_a, count_b:] = own_a.cpu().unsqueeze(1)
    costs[count_a:, :count_b] = own_b.cpu()
    rows, columns = linear_sum_assignment(costs)
    real = (rows < count_a) & (columns < count_b)
    return torch.from_numpy(rows[real]).to(between.device), torch.from_numpy(columns[real]).to(between.device)


def _without(values: Tensor, taken: Tensor) -> Tensor:
    kept = torch.ones(len(values), dtype=torch.bool, device=values.device)
    kept[taken] = False
    return values[kept]
