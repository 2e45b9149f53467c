"""Mean and spread of repeated measurements, as numbers and as a cell of a table.

Mean and deviation are numpy's; this decides what stands for a single value, and how a cell reads.
"""

from collections.abc import Sequence

import numpy as np


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float | None]:
    r"""Return mean and standard deviation, :math:`\sqrt{\sum_i (x_i - \bar x)^2 / (k - 1)}`; None for a single value.

    Args:
        values (Sequence[float]): k >= 1 measurements.
    """
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def cell(mean: float, deviation: float | None, digits: int = 3) -> str:
    """Format a mean and its standard deviation, where there is one."""
    return f'{mean:.{digits}f}' + ('' if deviation is None else f' ± {deviation:.{digits}f}')
