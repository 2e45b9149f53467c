"""The route from a cloud to its image that the paper measures RipsNet against: gudhi, cloud by cloud."""

from collections.abc import Sequence
from typing import Any

import gudhi
import numpy as np
from gudhi.representations import PersistenceImage
from torch import Tensor


def released_diagrams(clouds: np.ndarray, homology_dims: Sequence[int] = (0,)) -> list[np.ndarray]:
    """Compute Rips diagrams by gudhi's RipsComplex and SimplexTree, without essential classes.

    Args:
        clouds (np.ndarray): (B, n, d).
        homology_dims (Sequence[int]): Their points follow each other in a diagram. Defaults to (0, ).

    Returns:
        list[np.ndarray]: B diagrams (m, 2) of (birth, death).

    Example:
        >>> released_diagrams(np.array([[[0.0], [1.0], [3.0]]]))[0].tolist()
        [[0.0, 1.0], [0.0, 2.0]]
    """
    diagrams = []
    for cloud in clouds:
        tree = gudhi.RipsComplex(points=cloud).create_simplex_tree(max_dimension=max(homology_dims) + 1)
        tree.persistence()
        parts = [tree.persistence_intervals_in_dimension(dim).reshape(-1, 2) for dim in homology_dims]
        points = np.concatenate(parts)
        diagrams.append(points[np.isfinite(points).all(axis=1)])
    return diagrams


class ReleasedRoute:
    """Turn clouds into images as the authors' code does: gudhi's diagrams, gudhi's images, a weight written in Python.

    Args:
        spec (dict): :meth:`topkd.topology.PersistenceImager.spec` of the images.
        homology_dims (Sequence[int]): Defaults to (0, ).

    Example:
        >>> import torch
        >>> spec = dict(bandwidth=0.5, resolution=(1, 20), im_range=[0.0, 0.0, 0.0, 4.0], scale=1.0)
        >>> ReleasedRoute(spec)(torch.randn(2, 16, 3)).shape
        (2, 20)

    Source: Table 13, column "GUDHI".
    """

    def __init__(self, spec: dict[str, Any], homology_dims: Sequence[int] = (0,)) -> None:
        self.homology_dims = tuple(homology_dims)
        self.scale = spec['scale']
        self.image = PersistenceImage(
            bandwidth=spec['bandwidth'],
            resolution=spec['resolution'],
            im_range=spec['im_range'],
            weight=lambda point: 10 * np.tanh(point[1]) + 10 * np.log(100 * point[0] + 1),
        )
        # the range is given, but gudhi transforms nothing before it was fitted to something
        self.image.fit([np.zeros((1, 2))])

    def __call__(self, points: Tensor) -> np.ndarray:
        """Compute the images (B, P) of clouds (B, n, d)."""
        diagrams = released_diagrams(points.cpu().double().numpy(), self.homology_dims)
        return self.image.transform(diagrams) / self.scale
