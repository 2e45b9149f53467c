"""Other ways to diagrams, for comparison: gudhi's Ripser, ripser.py, and scipy's single linkage."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec

import numpy as np
import torch
from gudhi.sklearn.rips_persistence import RipsPersistence
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform

Route = Callable[[np.ndarray], list[np.ndarray]]


def other_routes(dims: Sequence[int]) -> dict[str, Route]:
    """Return, by name, functions from clouds (B, n, d) to B diagrams, of what is installed."""
    routes: dict[str, Route] = {'gudhi RipsPersistence': lambda clouds: gudhi_ripser_diagrams(clouds, dims)}
    if find_spec('ripser') is not None:
        routes['ripser.py'] = lambda clouds: ripser_diagrams(clouds, dims)
    if tuple(dims) == (0,):
        routes['scipy single linkage'] = linkage_diagrams
    return routes


def gudhi_ripser_diagrams(clouds: np.ndarray, dims: Sequence[int]) -> list[np.ndarray]:
    """Compute diagrams by gudhi's fork of Ripser, with its own threads."""
    rips = RipsPersistence(homology_dimensions=list(dims), n_jobs=torch.get_num_threads())
    return [finite(np.concatenate(parts)) for parts in rips.fit_transform(list(clouds))]


def ripser_diagrams(clouds: np.ndarray, dims: Sequence[int]) -> list[np.ndarray]:
    """Compute diagrams by scikit-tda's ripser."""
    from ripser import ripser

    found = [ripser(squareform(pdist(cloud)), maxdim=max(dims), distance_matrix=True)['dgms'] for cloud in clouds]
    return [finite(np.concatenate([diagrams[dim] for dim in dims])) for diagrams in found]


def linkage_diagrams(clouds: np.ndarray) -> list[np.ndarray]:
    """Compute diagrams of dimension 0 as the heights of single linkage."""
    heights = [linkage(cloud, 'single')[:, 2] for cloud in clouds]
    return [np.stack([np.zeros_like(values), values], axis=1) for values in heights]


def finite(diagram: np.ndarray) -> np.ndarray:
    """Leave out essential classes."""
    return diagram[np.isfinite(diagram).all(axis=1)]
