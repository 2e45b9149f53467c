"""Gram matrices against numpy."""

import numpy as np
import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)

from topkd.functional.sp import similarities
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.sp_loss import SPLoss


def by_hand(student, teacher):
    grams = []
    for features in (student, teacher):
        flat = features.double().numpy().reshape(len(features), -1)
        gram = np.array([[np.dot(a, b) for b in flat] for a in flat])
        grams.append(gram / np.sqrt((gram**2).sum(1))[:, None])
    return ((grams[0] - grams[1]) ** 2).sum() / len(student) ** 2


@pytest.fixture
def maps():
    torch.manual_seed(0)
    return torch.randn(4, 3, 2, 5), torch.randn(4, 6, 4, 4)


def test_value(maps):
    assert SPLoss(loss_weight=3000.0)(*maps).item() == pytest.approx(3000 * by_hand(*maps), rel=1e-4)
    both = SPLoss(student_tap=['a', 'b'])([maps[0], maps[1]], [maps[1], maps[1]])
    assert both.item() == pytest.approx(by_hand(*maps), rel=1e-4)


def test_scale_and_rotation_of_the_features_do_not_matter(maps):
    flat = maps[0].flatten(1)
    rotation = torch.linalg.qr(torch.randn(30, 30))[0]
    assert SPLoss()(flat, 7 * flat @ rotation).item() == pytest.approx(0, abs=1e-10)
    assert torch.allclose(similarities(flat).norm(dim=1), torch.ones(4))


def test_gradients(maps):
    assert_gradient_is_the_students(SPLoss(), [maps[0]], [maps[1]])
    assert_zeros_leave_finite_gradients(SPLoss(), [maps[0]], [maps[1]])


def test_half_precision(maps):
    assert_half_precision_is_close(SPLoss(loss_weight=3000.0), [maps[0] * 100], [maps[1] * 100])


def test_other_numbers_of_taps(maps):
    with pytest.raises(
        ValueError, match='SPLoss compares taps in pairs, got 2 of the student and 1 of the teacher: give'
    ):
        SPLoss(student_tap=['a', 'b']).bind(None, Probe([maps[0], maps[0]], [maps[1]]))


def test_one_step():
    assert_one_step_trains(dict(type='topkd.SPLoss', loss_weight=3000.0), learns=False)
