"""Paired differences and Holm's correction against other ways to compute them."""

import numpy as np
import pytest
from scipy import stats

from topkd.utils.paired_statistics import holm, paired_difference

VALUES, CONTROL = [27.9, 28.4, 27.1, 28.8, 28.0], [27.2, 28.1, 27.3, 27.9, 27.4]


def test_interval_by_hand():
    # differences 0.7, 0.3, -0.2, 0.9, 0.6: mean 0.46, squared deviations 0.0576 + 0.0256 + 0.4356 + 0.1936 + 0.0196
    found = paired_difference(VALUES, CONTROL)
    assert found.mean == pytest.approx(0.46) and found.deviation == pytest.approx((0.732 / 4) ** 0.5)
    half = 2.776445 * (0.732 / 4 / 5) ** 0.5  # the 0.975 quantile of t with 4 degrees of freedom
    assert found.student == pytest.approx((0.46 - half, 0.46 + half), abs=1e-6)


def test_p_is_that_of_the_paired_test():
    assert paired_difference(VALUES, CONTROL).p == pytest.approx(stats.ttest_rel(VALUES, CONTROL).pvalue)


def test_bootstrap_covers_what_resampling_by_hand_does():
    found = paired_difference(VALUES, CONTROL)
    differences = np.subtract(VALUES, CONTROL)
    # all 5^5 resamples, equally likely: plain percentiles differ from the corrected ones by little
    means = differences[np.stack(np.meshgrid(*[range(5)] * 5), -1).reshape(-1, 5)].mean(1)
    assert found.bootstrap == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=0.12)
    assert found.bootstrap[0] > found.student[0] and found.bootstrap[1] < found.student[1]
    assert paired_difference(VALUES, CONTROL) == found  # the same random numbers every time


def test_differences_that_are_all_the_same():
    assert paired_difference([1.0, 2.0], [1.0, 2.0])[1:] == (0.0, 0.0, (0.0, 0.0), (0.0, 0.0), 1.0)
    found = paired_difference([2.0, 3.0], [1.0, 2.0])
    assert found.student == (1.0, 1.0) and found.p == 0.0


def test_holm_by_hand():
    # sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04, and no value below the one before it
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([]) == [] and holm([0.2]) == [0.2]


def test_runs_without_a_partner_are_refused():
    for values, control in (([1.0, 2.0], [1.0]), ([1.0], [1.0])):
        with pytest.raises(ValueError, match=f'2 or more, got {len(values)} and {len(control)}: compare runs'):
            paired_difference(values, control)
