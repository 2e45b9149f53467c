"""Clouds at other scales than the teacher's, so that a RipsNet learns what students' clouds look like."""

import math
from collections.abc import Sequence
from math import inf
from numbers import Real
from typing import Any

import numpy as np


class CloudScales:
    """Give every second cloud a factor, log-uniform in a range; the others stay as the teacher makes them.

    The factor of cloud i depends on (seed, i) alone.

    Args:
        bounds (Sequence[float], optional): Least and greatest factor. None: all clouds stay as they are.
        seed (int): Seed of the factors. Defaults to 0.

    Raises:
        TypeError: If the bounds are not two numbers.
        ValueError: If they are not positive and in ascending order.

    Example:
        >>> scales = CloudScales((0.1, 3.0))
        >>> scales.factor(0), 0.1 <= scales.factor(1) <= 3.0
        (1.0, True)
    """

    def __init__(self, bounds: Sequence[float] | None, seed: int = 0) -> None:
        if bounds is not None:
            _check(bounds)
        self.bounds = None if bounds is None else (math.log(bounds[0]), math.log(bounds[1]))
        self.seed = seed

    def factor(self, cloud: int) -> float:
        """Return the factor of a cloud's points."""
        if self.bounds is None or self.is_original(cloud):
            return 1.0
        return math.exp(np.random.default_rng((self.seed, cloud, 1)).uniform(*self.bounds))

    def is_original(self, cloud: int) -> bool:
        """Tell whether a cloud stays as the teacher makes it."""
        return self.bounds is None or cloud % 2 == 0


def _check(bounds: Any) -> None:
    expected = f'clouds.scales must be the least and the greatest factor, both positive, got {bounds!r}: '
    if isinstance(bounds, str) or not isinstance(bounds, Sequence):
        raise TypeError(f'{expected}set two numbers such as (0.1, 3.0), or None')
    if len(bounds) != 2 or not all(isinstance(bound, Real) for bound in bounds) or not 0 < bounds[0] < bounds[1] < inf:
        raise ValueError(f'{expected}set two numbers such as (0.1, 3.0), the least first')
