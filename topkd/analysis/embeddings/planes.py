"""Embeddings in two dimensions: by UMAP, as in the paper, or by principal components, which need nothing more."""

import warnings
from typing import Any

import numpy as np


def umap_class() -> Any:
    """Return UMAP's class.

    Raises:
        ModuleNotFoundError: If umap-learn is not installed.
    """
    try:
        from umap import UMAP
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'UMAP is an optional extra and cannot be imported ({error}): pip install topkd[analysis], or take the '
            'scores of the embeddings themselves by --space features, which needs no UMAP',
            name=error.name,
        ) from error
    return UMAP


def umap_plane(points: np.ndarray, seed: int, neighbors: int = 15, min_dist: float = 0.1) -> np.ndarray:
    """Embed points in the plane by UMAP, Euclidean metric, on one thread so that the seed decides.

    Args:
        points (np.ndarray): (N, d).
        seed (int): The same seed gives the same plane on the same machine.
        neighbors (int): Size of a point's neighborhood. Defaults to 15, UMAP's own; the paper names none.
        min_dist (float): Least distance in the plane. Defaults to 0.1, UMAP's own.

    Returns:
        np.ndarray: (N, 2), without unit.

    Raises:
        ModuleNotFoundError: If umap-learn is not installed.
        ValueError: If there are not more points than neighbors.

    Source: Figure 5, Table 21.
    """
    if neighbors < 2 or len(points) <= neighbors:
        raise ValueError(
            f'UMAP with {neighbors} neighbors needs more than {neighbors} points (and 2 neighbors at least), got '
            f'{len(points)} points: lower --neighbors, or take in more images'
        )
    network = umap_class()(n_neighbors=neighbors, min_dist=min_dist, random_state=seed, n_jobs=1)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # it explains its choice of an initialization
        return np.asarray(network.fit_transform(points), np.float64)


def principal_plane(points: np.ndarray) -> np.ndarray:
    """Project points to their first two principal components (N, 2), in the unit of the points.

    Args:
        points (np.ndarray): (N, d), N >= 2; of width 1, the second coordinate is 0.

    Example:
        >>> plane = principal_plane(np.array([[0.0, 1.0, 1.0], [0.0, 1.0, 5.0]]))
        >>> abs(plane).round(6).tolist()
        [[2.0, 0.0], [2.0, 0.0]]
    """
    centered = np.asarray(points, np.float64) - np.mean(points, axis=0, dtype=np.float64)
    left, singular, _ = np.linalg.svd(centered, full_matrices=False)
    plane = np.zeros((len(centered), 2))
    plane[:, : len(singular[:2])] = left[:, :2] * singular[:2]
    return plane
