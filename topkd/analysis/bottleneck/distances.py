"""Bottleneck distances between the persistence diagrams of a teacher's and its students' clouds (Table 20).

The paper does not say which clouds its table was computed from, nor over how many of them; here they are clouds of random images of
a split, of the size that the topology loss uses, and the mean comes with its standard deviation. A student's clouds are not
projected to the teacher's width: diagrams of clouds of different widths can be compared.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from topkd.analysis.trained_students import TEACHER, whole_clouds
from topkd.models.losses.topology_loss import TopologyLoss
from topkd.topology import exact_diagrams
from topkd.utils.statistics import mean_and_deviation

# as the loss sees the clouds, and with every cloud divided by its mean distance: a student's features may differ in scale alone
SCALES = ('as is', 'scale-free')
# how far diagrams of one network are apart when the images differ, which is what a distance is to be read against
OTHER_IMAGES = f'{TEACHER}, other images'

Diagrams = list[np.ndarray]


class ScaledDiagrams(NamedTuple):
    """Diagrams of one homology dimension at one scale: by network, one array (m, 2) of (birth, death) a cloud."""

    homology_dim: int
    scale: str
    networks: dict[str, Diagrams]


class Distances(NamedTuple):
    """Bottleneck distances of a network's clouds to the teacher's of the same images, and the cap of each."""

    network: str
    homology_dim: int
    scale: str
    values: list[float]
    caps: list[float]

    def plain(self) -> dict:
        """Return everything as plain values, with ``mean``, ``std``, number of ``clouds``, and ``at_cap``, the share at the cap."""
        mean, deviation = mean_and_deviation(self.values)
        at_cap = np.isclose(self.values, self.caps, atol=0) & (np.array(self.caps) > 0)
        return dict(
            network=self.network,
            homology_dim=self.homology_dim,
            scale=self.scale,
            mean=mean,
            std=deviation,
            at_cap=float(at_cap.mean()),
            clouds=len(self.values),
            distances=self.values,
        )


def bottleneck_distances(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> list[float]:
    r"""Compute the exact bottleneck distance of each pair of diagrams, by gudhi's Hera.

    .. math:: \min_\eta \max_x \|x - \eta(x)\|_\infty

    over all matchings eta of the points of one diagram with those of the other or with the diagonal; matching (b, d) with the
    diagonal costs (d - b) / 2.

    Args:
        first (Sequence[np.ndarray]): Diagrams (m, 2) of (birth, death), finite.
        second (Sequence[np.ndarray]): As many.

    Returns:
        list[float]: In the unit of the diagrams.

    Source: Table 20.
    """
    # gudhi's own bottleneck_distance stops its search too early on some diagrams, and returns more than the distance
    from gudhi.hera import bottleneck_distance  # here, because nothing else of this package's evaluation needs it

    return [float(bottleneck_distance(*map(_off_diagonal, pair), delta=0)) for pair in zip(first, second, strict=True)]


def distance_caps(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> list[float]:
    """Compute half the greatest persistence of each pair of diagrams: the most that their bottleneck distance can be.

    That is what matching everything with the diagonal costs. Where one diagram's deaths are all less than about half the
    other's, nothing is better, and the distance is the cap, whatever the smaller diagram is.

    Args:
        first (Sequence[np.ndarray]): Diagrams (m, 2) of (birth, death), finite.
        second (Sequence[np.ndarray]): As many.

    Returns:
        list[float]: In the unit of the diagrams; 0 where both are empty.
    """
    return [
        max(float((diagram[:, 1] - diagram[:, 0]).max(initial=0)) for diagram in pair) / 2
        for pair in zip(first, second, strict=True)
    ]


def collect_diagrams(
    model: nn.Module,
    students: Mapping[str, nn.Module],
    loss: TopologyLoss,
    batches: Iterable[dict],
    homology_dims: Sequence[int],
    limit: int | None = None,
) -> list[ScaledDiagrams]:
    """Compute the diagrams of all networks' clouds of the same images, in each dimension, with and without scale.

    Args:
        model (nn.Module): A :class:`topkd.models.Distiller` in eval mode.
        students (Mapping[str, nn.Module]): By name, see :func:`topkd.analysis.trained_students.load_students`.
        loss (TopologyLoss): Names taps and clouds.
        batches (Iterable[dict]): Each making whole clouds, see :func:`topkd.analysis.trained_students.cloud_loader`.
        homology_dims (Sequence[int]): Each reported for itself.
        limit (int, optional): Number of batches; None for all.

    Returns:
        list[ScaledDiagrams]: For each dimension, 'as is' and 'scale-free'.

    Raises:
        ValueError: If the batches make no cloud.
    """
    result = [
        ScaledDiagrams(dim, scale, {name: [] for name in (TEACHER, *students)})
        for dim in dict.fromkeys(homology_dims)
        for scale in SCALES
    ]
    for batch in whole_clouds(model, students, {}, loss, batches, limit):
        for name, clouds in batch.items():
            for group in result:
                group.networks[name].extend(_diagrams(clouds, group.homology_dim, group.scale))
    if not result[0].networks[TEACHER]:
        raise ValueError(
            'the images are too few for one cloud of the loss: take in more images (--split, --batches), or lower '
            'num_points of its cloud'
        )
    return result


def distances_to_teacher(diagrams: Sequence[ScaledDiagrams]) -> list[Distances]:
    """Compare every student's diagrams with the teacher's of the same images, and the teacher's with one another.

    Args:
        diagrams (Sequence[ScaledDiagrams]): See :func:`collect_diagrams`.

    Returns:
        list[Distances]: For each dimension and scale, the students in their order, then 'teacher, other images', the distances
        between each of the teacher's diagrams and the next one, where there are two clouds or more.
    """
    result = []
    for dim, scale, networks in diagrams:
        teacher = networks[TEACHER]
        for name, own in networks.items():
            if name != TEACHER:
                result.append(
                    Distances(name, dim, scale, bottleneck_distances(teacher, own), distance_caps(teacher, own))
                )
        if len(teacher) > 1:
            pair = teacher[:-1], teacher[1:]
            result.append(Distances(OTHER_IMAGES, dim, scale, bottleneck_distances(*pair), distance_caps(*pair)))
    return result


def _off_diagonal(diagram: np.ndarray) -> np.ndarray:
    return diagram[diagram[:, 1] > diagram[:, 0]]


def _diagrams(clouds: Tensor, homology_dim: int, scale: str) -> Diagrams:
    clouds = clouds.double()
    if scale == 'scale-free':
        # cloud by cloud, and without a gradient's differences of all pairs, which are gigabytes for wide points
        means = torch.stack([torch.pdist(cloud).mean() for cloud in clouds])
        clouds = clouds / means.clamp_min(torch.finfo(clouds.dtype).eps)[:, None, None]
    return [diagram.cpu().numpy() for diagram in exact_diagrams(clouds, (homology_dim,))]
