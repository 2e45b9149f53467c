"""Persistence diagrams of the clouds of a teacher and its students, with and without scale.

The paper does not say which clouds its Table 20 was computed from, nor over how many of them; here they are clouds of
random images of a split, of the size that the topology loss uses.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from topkd.analysis.trained_students import TEACHER, TrainedStudents
from topkd.topology import diagrams_without_gradient

# as the loss sees the clouds, and with every cloud divided by its mean distance: a student's features may differ in
# scale alone
SCALES = ('as is', 'scale-free')

Diagrams = list[np.ndarray]


class ScaledDiagrams(NamedTuple):
    """Diagrams of one homology dimension at one scale: by network, one array (m, 2) of (birth, death) a cloud.

    Example:
        >>> diagrams = ScaledDiagrams(0, 'as is', dict(teacher=[np.array([[0.0, 4.0]])]))
        >>> diagrams.networks['teacher'][0].shape
        (1, 2)
    """

    homology_dim: int
    scale: str
    networks: dict[str, Diagrams]


def collect_diagrams(
    trained: TrainedStudents, batches: Iterable[dict], homology_dims: Sequence[int], limit: int | None = None
) -> list[ScaledDiagrams]:
    """Compute the diagrams of all networks' clouds of the same images, in each dimension, with and without scale.

    Args:
        trained (TrainedStudents): The networks. A student's clouds need no projection: diagrams of clouds of different
            widths can be compared.
        batches (Iterable[dict]): Each making whole clouds, see
            :meth:`topkd.analysis.trained_students.TrainedStudents.loader`.
        homology_dims (Sequence[int]): Each reported for itself.
        limit (int, optional): Number of batches; None for all.

    Returns:
        list[ScaledDiagrams]: For each dimension, 'as is' and 'scale-free'.

    Raises:
        ValueError: If the batches make no cloud.
    """
    result = [
        ScaledDiagrams(dim, scale, {name: [] for name in trained.names})
        for dim in dict.fromkeys(homology_dims)
        for scale in SCALES
    ]
    for batch in trained.clouds(batches, limit):
        for name, clouds in batch.items():
            for group in result:
                group.networks[name].extend(_diagrams(clouds, group.homology_dim, group.scale))
    if not result[0].networks[TEACHER]:
        raise ValueError(
            'the images are too few for one cloud of the loss: take in more images (--split, --batches), or lower '
            'num_points of its cloud'
        )
    return result


def _diagrams(clouds: Tensor, homology_dim: int, scale: str) -> Diagrams:
    clouds = clouds.double()
    if scale == 'scale-free':
        # cloud by cloud, and without a gradient's differences of all pairs, which are gigabytes for wide points
        means = torch.stack([torch.pdist(cloud).mean() for cloud in clouds])
        clouds = clouds / means.clamp_min(torch.finfo(clouds.dtype).eps)[:, None, None]
    return [diagram.cpu().numpy() for diagram in diagrams_without_gradient(clouds, (homology_dim,))]
