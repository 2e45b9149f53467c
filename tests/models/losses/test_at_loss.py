"""Attention maps against loops over positions."""

import math

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)

from topkd.functional.at import attention_distance, attention_map
from topkd.models.losses.at_loss import ATLoss
from topkd.models.losses.distillation_loss import Probe


def attention_by_hand(image, p):
    """Energy of every position of one image (C, H, W) as a list of length 1."""
    channels, height, width = image.shape
    energy = [
        sum(abs(image[c, h, w].item()) ** p for c in range(channels)) / channels
        for h in range(height)
        for w in range(width)
    ]
    length = math.sqrt(sum(value**2 for value in energy))
    return [value / length for value in energy]


def by_hand(student, teacher, p):
    total = 0.0
    for s, t in zip(student, teacher):
        total += sum((a - b) ** 2 for a, b in zip(attention_by_hand(s, p), attention_by_hand(t, p)))
    return total / (len(student) * student.shape[2] * student.shape[3])


@pytest.fixture
def maps():
    torch.manual_seed(0)
    return torch.randn(3, 4, 2, 5), torch.randn(3, 6, 2, 5)


@pytest.mark.parametrize('p', [2, 1, 3])
def test_value(maps, p):
    student, teacher = maps
    assert ATLoss(p=p, loss_weight=7.0)(student, teacher).item() == pytest.approx(7 * by_hand(*maps, p), rel=1e-5)
    both = ATLoss(p=p, student_tap=['a', 'b'])([student, teacher], [teacher, teacher])
    assert both.item() == pytest.approx(by_hand(*maps, p), rel=1e-5)


def test_larger_map_is_pooled_first():
    torch.manual_seed(0)
    large, small = torch.randn(2, 3, 4, 4), torch.randn(2, 5, 2, 2)
    pooled = large.reshape(2, 3, 2, 2, 2, 2).mean((3, 5))
    for value in (attention_distance(large, small), attention_distance(small, large)):
        assert value.item() == pytest.approx(by_hand(pooled, small, 2), rel=1e-5)


def test_scale_order_of_channels_and_sign_do_not_matter(maps):
    student, teacher = maps
    assert attention_distance(student, -3 * student.flip(1)).item() == pytest.approx(0, abs=1e-12)
    assert attention_distance(student, student.flip(3)).item() > 1e-3
    assert torch.allclose(attention_map(teacher).norm(dim=1), torch.ones(3))


def test_gradients(maps):
    assert_gradient_is_the_students(ATLoss(), [maps[0]], [maps[1]])
    assert_zeros_leave_finite_gradients(ATLoss(), [maps[0]], [maps[1]])
    assert_zeros_leave_finite_gradients(ATLoss(p=1), [maps[0]], [maps[1]])


def test_half_precision(maps):
    assert_half_precision_is_close(ATLoss(loss_weight=1000.0), [maps[0] * 300], [maps[1] * 300])


def test_refusals():
    with pytest.raises(ValueError, match='p of ATLoss must be at least 1, got 0'):
        ATLoss(p=0)
    loss = ATLoss()
    image = torch.zeros(1, 3, 4, 4)
    with pytest.raises(ValueError, match='in pairs, got 3 of the student and 2 of the teacher: give student_tap'):
        loss.bind(None, Probe([image] * 3, [image] * 2))
    with pytest.raises(ValueError, match=r"ATLoss needs maps \(N, C, H, W\), tap 'neck\[0\]' returns \(1, 3\): tap a"):
        ATLoss(student_tap='neck[0]').bind(None, Probe(torch.zeros(1, 3), image))


def test_one_step():
    assert_one_step_trains(dict(type='topkd.ATLoss', loss_weight=1000.0), learns=False)
