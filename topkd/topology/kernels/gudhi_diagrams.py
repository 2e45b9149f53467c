"""Diagrams of Vietoris-Rips complexes in any dimension by gudhi, which chooses between Ripser and edge collapses."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from topkd.topology.kernels.pairwise import checked_clouds, refuse_broken


def gudhi_diagrams(points: Tensor, homology_dims: Sequence[int]) -> list[Tensor]:
    """Compute diagrams of any dimension, without gradient and without essential classes.

    Points of persistence 0 are left out.

    Args:
        points (Tensor): Clouds (B, n, d), n >= 2.
        homology_dims (Sequence[int]): Dimensions, ascending.

    Returns:
        list[Tensor]: B diagrams (m_i, 2) of (birth, death) on the device and in the precision of the points; one
            dimension after the other, each in the order of deaths.

    Raises:
        ModuleNotFoundError: If gudhi is not installed.
        TypeError: If the points are no floating-point tensor.
        ValueError: If the points are not of shape (B, n >= 2, d) or not finite.

    Example:
        >>> gudhi_diagrams(torch.tensor([[[0.0], [1.0], [3.0]]]), (0,))
        [tensor([[0., 1.],
                [0., 2.]])]

    Source: Section 3.2.
    """
    points = checked_clouds(points).detach()
    refuse_broken(points.isfinite().flatten(1).all(dim=1))
    found = among_threads(lambda clouds: _diagrams(clouds, homology_dims), points.cpu().double().numpy())
    return [torch.from_numpy(diagram).to(points) for diagram in found]


def _diagrams(clouds: np.ndarray, homology_dims: Sequence[int]) -> list[np.ndarray]:
    # here, because dimension 0 needs no gudhi
    from gudhi.sklearn.rips_persistence import RipsPersistence

    rips = RipsPersistence(homology_dimensions=list(homology_dims))
    return [np.concatenate([by_death(_lasting(part)) for part in parts]) for parts in rips.fit_transform(list(clouds))]


def _lasting(diagram: np.ndarray) -> np.ndarray:
    return diagram[np.isfinite(diagram).all(axis=1) & (diagram[:, 1] > diagram[:, 0])]


def by_death(diagram: np.ndarray) -> np.ndarray:
    """Sort a diagram's points (m, 2) by death.

    It is the order of gudhi's SimplexTree, on which the bandwidth of images depends: it is fitted to the first points.

    Example:
        >>> by_death(np.array([[0.0, 2.0], [0.5, 1.0]]))
        array([[0.5, 1. ],
               [0. , 2. ]])
    """
    return diagram[np.argsort(diagram[:, 1], kind='stable')]


def among_threads(function: Callable[[np.ndarray], list], clouds: np.ndarray) -> list:
    """Apply a function to clouds (B, n, d), in parts, one thread a core; gudhi releases Python's lock.

    Args:
        function (Callable): From part of the clouds to a list, one entry a cloud.
        clouds (np.ndarray): (B, n, d).

    Returns:
        list: B entries, in the order of the clouds.

    Example:
        >>> among_threads(lambda clouds: [float(cloud.sum()) for cloud in clouds], np.ones((3, 2, 2)))
        [4.0, 4.0, 4.0]
    """
    workers = min(len(clouds), torch.get_num_threads())
    if workers == 1:
        return function(clouds)
    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(function, np.array_split(clouds, workers)), [])
