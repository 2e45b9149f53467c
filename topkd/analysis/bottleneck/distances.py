"""Bottleneck distances between persistence diagrams, exact, and the most that they can be."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from topkd.analysis.bottleneck.diagrams import ScaledDiagrams
from topkd.analysis.trained_students import TEACHER
from topkd.utils.statistics import mean_and_deviation

# how far diagrams of one network are apart when the images differ, which is what a distance is to be read against
OTHER_IMAGES = f'{TEACHER}, other images'


class Distances(NamedTuple):
    """Bottleneck distances of a network's clouds to the teacher's of the same images, and the cap of each.

    Example:
        >>> row = Distances('plain', 0, 'as is', values=[1.0, 2.0], caps=[2.0, 2.0])
        >>> row.plain()['mean'], row.plain()['at_cap']
        (1.5, 0.5)
    """

    network: str
    homology_dim: int
    scale: str
    values: list[float]
    caps: list[float]

    def plain(self) -> dict:
        """Return plain values with ``mean``, ``std``, number of ``clouds``, and ``at_cap``, the share at the cap."""
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

    over all matchings eta of the points of one diagram with those of the other or with the diagonal; matching (b, d)
    with the diagonal costs (d - b) / 2.

    Args:
        first (Sequence[np.ndarray]): Diagrams (m, 2) of (birth, death), finite.
        second (Sequence[np.ndarray]): As many.

    Returns:
        list[float]: In the unit of the diagrams.

    Example:
        >>> bottleneck_distances([np.array([[0.0, 4.0]])], [np.array([[0.0, 3.0]])])
        [1.0]

    Source: Table 20.
    """
    from gudhi.hera import bottleneck_distance  # gudhi.bottleneck_distance returns more than the distance of some pairs

    return [float(bottleneck_distance(*map(_off_diagonal, pair), delta=0)) for pair in zip(first, second, strict=True)]


def distance_caps(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> list[float]:
    """Compute half the greatest persistence of each pair of diagrams: the most that their bottleneck distance can be.

    That is what matching everything with the diagonal costs. If one diagram's deaths are all less than about half the
    other's, nothing is better, and the distance is the cap, whatever the smaller diagram is.

    Args:
        first (Sequence[np.ndarray]): Diagrams (m, 2) of (birth, death), finite.
        second (Sequence[np.ndarray]): As many.

    Returns:
        list[float]: In the unit of the diagrams; 0 if both are empty.

    Example:
        >>> distance_caps([np.array([[0.0, 4.0]])], [np.array([[0.0, 1.0]])])
        [2.0]
    """
    return [
        max(float((diagram[:, 1] - diagram[:, 0]).max(initial=0)) for diagram in pair) / 2
        for pair in zip(first, second, strict=True)
    ]


def distances_to_teacher(diagrams: Sequence[ScaledDiagrams]) -> list[Distances]:
    """Compare every student's diagrams with the teacher's of the same images, and the teacher's with one another.

    Args:
        diagrams (Sequence[ScaledDiagrams]): See :func:`topkd.analysis.bottleneck.diagrams.collect_diagrams`.

    Returns:
        list[Distances]: For each dimension and scale, the students in their order, then 'teacher, other images', the
        distances between each of the teacher's diagrams and the next one, if there are two clouds or more.

    Example:
        >>> networks = dict(teacher=[np.array([[0.0, 4.0]])], plain=[np.array([[0.0, 3.0]])])
        >>> [(row.network, row.values) for row in distances_to_teacher([ScaledDiagrams(0, 'as is', networks)])]
        [('plain', [1.0])]
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
