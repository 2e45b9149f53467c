"""Neuron selectivity against loops over pairs of channels."""

import numpy as np
import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)

from topkd.functional.nst import selectivity_distance
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.nst_loss import NSTLoss


def kernel_by_hand(x, y):
    """Mean over images and pairs of channels of the squared cosine."""
    values = []
    for a, b in zip(x.double().numpy(), y.double().numpy()):
        for i in range(len(a)):
            for j in range(len(b)):
                p, q = a[i].ravel(), b[j].ravel()
                values.append((np.dot(p, q) / np.linalg.norm(p) / np.linalg.norm(q)) ** 2)
    return np.mean(values)


def by_hand(student, teacher):
    return kernel_by_hand(teacher, teacher) + kernel_by_hand(student, student) - 2 * kernel_by_hand(student, teacher)


@pytest.fixture
def maps():
    torch.manual_seed(0)
    return torch.rand(3, 4, 2, 3), torch.randn(3, 6, 2, 3)


def test_value(maps):
    student, teacher = maps
    assert NSTLoss(loss_weight=50.0)(student, teacher).item() == pytest.approx(50 * by_hand(*maps), rel=1e-5)
    both = NSTLoss(student_tap=['a', 'b'])([student, student], [teacher, teacher])
    assert both.item() == pytest.approx(2 * by_hand(*maps), rel=1e-5)


def test_larger_map_is_pooled_first():
    torch.manual_seed(0)
    large, small = torch.randn(2, 3, 4, 4), torch.randn(2, 5, 2, 2)
    pooled = large.reshape(2, 3, 2, 2, 2, 2).mean((3, 5))
    for value in (selectivity_distance(large, small), selectivity_distance(small, large)):
        assert value.item() == pytest.approx(by_hand(pooled, small), rel=1e-5)


def test_order_scale_and_repetition_of_channels_do_not_matter(maps):
    student, _ = maps
    assert selectivity_distance(student, 5 * student.flip(1)).item() == pytest.approx(0, abs=1e-6)
    assert selectivity_distance(student, torch.cat([student, student], 1)).item() == pytest.approx(0, abs=1e-6)
    assert selectivity_distance(student, student.flip(3)).item() > 1e-3


def test_gradients(maps):
    assert_gradient_is_the_students(NSTLoss(), [maps[0]], [maps[1]])
    assert_zeros_leave_finite_gradients(NSTLoss(), [maps[0]], [maps[1]])


def test_half_precision(maps):
    assert_half_precision_is_close(NSTLoss(), [maps[0]], [maps[1]])


def test_refusals():
    with pytest.raises(ValueError, match="NSTLoss needs maps .* tap 'neck.0.' returns"):
        NSTLoss(student_tap='neck[0]').bind(None, Probe(torch.zeros(1, 3), torch.zeros(1, 3)))


def test_one_step():
    assert_one_step_trains(dict(type='topkd.NSTLoss', loss_weight=50.0), learns=False)
