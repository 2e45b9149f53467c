"""Clouds beside the teacher's own, at other scales and of students, so that a RipsNet learns what it will meet."""

import math
from collections.abc import Sequence
from math import inf
from numbers import Real
from typing import Any

import numpy as np

TEACHER = 0  # number of the teacher among what makes clouds


class CloudOrigins:
    """Say which network makes each cloud, and by which factor its points are multiplied.

    Every second cloud is the teacher's own; the others are in turn the teacher's at another scale and those of each
    student. The factor of cloud i is log-uniform in a range and depends on (seed, i) alone.

    Args:
        scales (Sequence[float], optional): Least and greatest factor. None: no cloud is scaled.
        students (int): Number of students. Defaults to 0.
        seed (int): Seed of the factors. Defaults to 0.

    Raises:
        TypeError: If the scales are not two numbers.
        ValueError: If they are not positive and in ascending order.

    Example:
        >>> origins = CloudOrigins(scales=(0.1, 3.0), students=2)
        >>> [origins.maker(cloud) for cloud in range(8)]
        [0, 0, 0, 1, 0, 2, 0, 0]
        >>> [origins.factor(cloud) == 1 for cloud in range(8)]
        [True, False, True, True, True, True, True, False]
    """

    def __init__(self, scales: Sequence[float] | None = None, students: int = 0, seed: int = 0) -> None:
        if scales is not None:
            check_scales(scales)
        self.scales, self.seed = scales, seed
        # (number of the network, whether its cloud is scaled)
        scaled = [] if scales is None else [(TEACHER, True)]
        self.others = [*scaled, *((TEACHER + number, False) for number in range(1, students + 1))]

    def is_own(self, cloud: int) -> bool:
        """Tell whether a cloud is one that the teacher makes, as it is."""
        return self._origin(cloud) == (TEACHER, False)

    def maker(self, cloud: int) -> int:
        """Return the number of the network that makes a cloud: 0 for the teacher, then the students."""
        return self._origin(cloud)[0]

    def factor(self, cloud: int) -> float:
        """Return the factor of a cloud's points."""
        if self.scales is None or not self._origin(cloud)[1]:
            return 1.0
        least, greatest = map(math.log, self.scales)
        return math.exp(np.random.default_rng((self.seed, cloud, 1)).uniform(least, greatest))

    def _origin(self, cloud: int) -> tuple[int, bool]:
        if cloud % 2 == 0 or not self.others:
            return TEACHER, False
        return self.others[cloud // 2 % len(self.others)]


def check_scales(bounds: Any) -> None:
    """Refuse what is no range of factors; the errors are those of :class:`CloudOrigins`.

    Args:
        bounds (Any): ``clouds.scales`` of a config.
    """
    expected = f'clouds.scales must be the least and the greatest factor, both positive, got {bounds!r}: '
    if isinstance(bounds, str) or not isinstance(bounds, Sequence):
        raise TypeError(f'{expected}set two numbers such as (0.1, 3.0), or None')
    if len(bounds) != 2 or not all(isinstance(bound, Real) for bound in bounds) or not 0 < bounds[0] < bounds[1] < inf:
        raise ValueError(f'{expected}set two numbers such as (0.1, 3.0), the least first')
