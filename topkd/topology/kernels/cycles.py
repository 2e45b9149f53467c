"""The edges that bear and kill the cycles of Vietoris-Rips complexes, found by gudhi's Ripser."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from topkd.topology.kernels.gudhi_diagrams import among_threads, by_death


def cycle_edges(points: Tensor) -> list[Tensor]:
    """Find the pairs of edges that bear and kill the classes of dimension 1 with positive persistence.

    gudhi returns births and deaths, which are entries of the distance matrix that it was given; the edges are found by
    their value. Of edges of equal length any one is as good.

    Args:
        points (Tensor): Clouds (B, n, d), finite.

    Returns:
        list[Tensor]: B tensors (m_i, 2, 2), int64: pair in the order of deaths, birth or death, end point of the edge.

    Raises:
        ModuleNotFoundError: If gudhi is not installed.

    Example:
        >>> square = torch.tensor([[[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]])
        >>> [tuple(pairs.shape) for pairs in cycle_edges(square)]
        [(1, 2, 2)]
    """
    return among_threads(_cycle_edges_of_points, points.detach().cpu().double().numpy())


def cycle_edges_of_matrices(distances: Tensor) -> list[Tensor]:
    """Find what :func:`cycle_edges` finds from distance matrices (B, n, n), of which the upper triangle is read.

    Raises:
        ModuleNotFoundError: If gudhi is not installed.

    Example:
        >>> square = torch.tensor([[[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]])
        >>> [tuple(pairs.shape) for pairs in cycle_edges_of_matrices(torch.cdist(square, square))]
        [(1, 2, 2)]
    """
    return among_threads(_cycle_edges_of_matrices, distances.detach().cpu().double().numpy())


def _cycle_edges_of_points(clouds: np.ndarray) -> list[Tensor]:
    from scipy.spatial.distance import pdist  # here, because dimension 0 needs no scipy

    return _cycle_edges([pdist(cloud) for cloud in clouds], clouds.shape[1])


def _cycle_edges_of_matrices(matrices: np.ndarray) -> list[Tensor]:
    n = matrices.shape[1]
    return _cycle_edges([matrix[np.triu_indices(n, 1)] for matrix in matrices], n)


def _cycle_edges(condensed: list[np.ndarray], n: int) -> list[Tensor]:
    # here, because dimension 0 needs neither gudhi nor scipy
    from gudhi.sklearn.rips_persistence import RipsPersistence
    from scipy.spatial.distance import squareform

    rips = RipsPersistence(homology_dimensions=1, input_type='full distance matrix')
    diagrams: Sequence[np.ndarray] = rips.fit_transform([squareform(lengths) for lengths in condensed])
    ends = np.stack(np.triu_indices(n, 1), axis=1)
    places = [_find(by_death(diagram), lengths) for diagram, lengths in zip(diagrams, condensed)]
    return [torch.from_numpy(ends[place]) for place in places]


def _find(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return where each value stands in the array of lengths, in the values' shape."""
    wanted = np.unique(values)
    if not len(wanted):
        return np.zeros(values.shape, np.int64)
    # the few values are sorted and the many lengths looked up in them: an order faster than sorting the lengths
    place = np.searchsorted(wanted, lengths).clip(max=len(wanted) - 1)
    hits = np.flatnonzero(wanted[place] == lengths)
    position = np.empty(len(wanted), np.int64)
    position[place[hits]] = hits
    return position[np.searchsorted(wanted, values)]
