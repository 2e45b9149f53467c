"""Correlations of maps against numpy's."""

import numpy as np
import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)

from topkd.functional.pkd import normalized
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.pkd_loss import PKDLoss


def by_hand(student, teacher):
    """Half the mean squared difference of z-scores is (1 - r) (n - 1) / n, channel by channel."""
    values = []
    for c in range(student.shape[1]):
        s, t = (maps[:, c].double().numpy().ravel() for maps in (student, teacher))
        values.append((1 - np.corrcoef(s, t)[0, 1]) * (len(s) - 1) / len(s))
    return np.mean(values)


@pytest.fixture
def maps():
    torch.manual_seed(0)
    return torch.randn(3, 4, 2, 5), torch.randn(3, 4, 2, 5)


def bound(student, teacher, **arguments):
    torch.manual_seed(1)
    loss = PKDLoss(**dict(dict(student_tap='a'), **arguments))
    loss.bind(None, Probe(student[:1], teacher[:1]))
    return loss


def test_value(maps):
    assert bound(*maps, loss_weight=6.0)(*maps).item() == pytest.approx(6 * by_hand(*maps), rel=1e-4)


def test_levels_are_summed(maps):
    loss = PKDLoss(student_tap=['a', 'b'])
    loss.bind(None, Probe([maps[0][:1]] * 2, [maps[1][:1]] * 2))
    assert loss([maps[0]] * 2, [maps[1]] * 2).item() == pytest.approx(2 * by_hand(*maps), rel=1e-4)


def test_channels_scale_and_shift_do_not_matter(maps):
    scaled = maps[0] * torch.tensor([1.0, 5.0, 0.1, 3.0])[:, None, None] + 7
    assert bound(*maps)(scaled, maps[0]).item() == pytest.approx(0, abs=1e-5)
    assert torch.allclose(normalized(maps[0]).mean((0, 2, 3)), torch.zeros(4), atol=1e-6)


def test_gradients(maps):
    loss = bound(*maps)
    assert_gradient_is_the_students(loss, [maps[0]], [maps[1]])
    assert_zeros_leave_finite_gradients(loss, [maps[0]], [maps[1]])


def test_half_precision(maps):
    assert_half_precision_is_close(bound(*maps), [maps[0] * 100], [maps[1] * 100])


def test_other_channels_are_projected():
    assert_one_step_trains(dict(type='topkd.PKDLoss', student_tap='backbone.layer3'), learns=True)
