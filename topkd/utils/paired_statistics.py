"""Paired differences with intervals, and p-values that count how many comparisons were made.

Intervals and tests are scipy's; Holm's correction, five lines, would otherwise need statsmodels.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

Interval = tuple[float, float]


class PairedDifference(NamedTuple):
    """How two kinds of runs of the same seeds differ.

    Attributes:
        differences (list[float]): One a seed.
        mean (float): Their mean.
        deviation (float): Their standard deviation (k - 1).
        student (Interval): 95 % interval of the mean by Student's t with k - 1 degrees of freedom.
        bootstrap (Interval): 95 % interval of the mean by the bias-corrected and accelerated bootstrap.
        p (float): Of the paired t-test, two-sided.
    """

    differences: list[float]
    mean: float
    deviation: float
    student: Interval
    bootstrap: Interval
    p: float


def paired_difference(values: Sequence[float], control: Sequence[float], resamples: int = 9999) -> PairedDifference:
    r"""Compare runs with the control's runs of the same seeds.

    .. math:: \bar d \pm t_{0.975,\,k-1}\, s_d / \sqrt k, \qquad d_i = x_i - c_i

    Differences that are all the same have intervals of that one value, and p 1 if it is 0, else 0.

    Args:
        values (Sequence[float]): Of k >= 2 runs.
        control (Sequence[float]): Of the control, seed by seed.
        resamples (int): Of the bootstrap, whose random numbers are always the same. Defaults to 9999.

    Returns:
        PairedDifference: All figures.

    Raises:
        ValueError: If the numbers of runs differ, or there is one alone.

    Example:
        >>> found = paired_difference([2.0, 3.0, 4.0], [1.0, 1.0, 1.0])
        >>> found.mean, [round(bound, 2) for bound in found.student]
        (2.0, [-0.48, 4.48])
    """
    if len(values) != len(control) or len(values) < 2:
        raise ValueError(
            f'paired runs must be as many on both sides and 2 or more, got {len(values)} and {len(control)}: '
            'compare runs of the same seeds'
        )
    differences = np.subtract(values, control)
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    if np.ptp(differences) == 0:
        return PairedDifference(differences.tolist(), mean, 0.0, (mean, mean), (mean, mean), float(mean == 0))
    test = stats.ttest_1samp(differences, 0.0)
    interval = test.confidence_interval(0.95)
    resampled = stats.bootstrap(
        (differences,), np.mean, n_resamples=resamples, method='BCa', random_state=np.random.default_rng(0)
    ).confidence_interval
    return PairedDifference(
        differences.tolist(),
        mean,
        deviation,
        (float(interval.low), float(interval.high)),
        (float(resampled.low), float(resampled.high)),
        float(test.pvalue),
    )


def holm(values: Sequence[float]) -> list[float]:
    r"""Adjust p-values for their number by Holm's step-down method.

    .. math:: \tilde p_{(i)} = \max_{j \le i} \min(1, (m - j + 1)\, p_{(j)})

    Args:
        values (Sequence[float]): m p-values.

    Returns:
        list[float]: In the order given.

    Example:
        >>> holm([0.04, 0.01, 0.5])
        [0.08, 0.03, 0.5]

    Source: Holm, A simple sequentially rejective multiple test procedure, 1979.
    """
    order = np.argsort(values, kind='stable')
    factors = np.arange(len(values), 0, -1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * np.asarray(values, float)[order]), 1.0)
    return adjusted.tolist()
