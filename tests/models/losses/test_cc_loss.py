"""Correlation congruence against loops."""

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)

from topkd.functional.cc import correlation_distance
from topkd.models.losses.cc_loss import CCLoss
from topkd.models.losses.distillation_loss import Probe


def by_hand(student, teacher):
    total = 0.0
    for i in range(len(student) - 1):
        for c in range(student.shape[1]):
            here, following = (abs(student[n, c].item() - teacher[n, c].item()) for n in (i, i + 1))
            total += here * following
    return total / (len(student) - 1)


@pytest.fixture
def points():
    torch.manual_seed(0)
    return torch.randn(5, 3), torch.randn(5, 7)


def bound(student, teacher, **arguments):
    torch.manual_seed(1)
    loss = CCLoss(**arguments)
    loss.bind(None, Probe(student[:1], teacher[:1]))
    return loss


def test_value(points):
    loss = bound(*points, embedding=4, loss_weight=0.02)
    student = points[0] @ loss.embed_student.weight.T + loss.embed_student.bias
    teacher = points[1] @ loss.embed_teacher.weight.T + loss.embed_teacher.bias
    assert loss(*points).item() == pytest.approx(0.02 * by_hand(student, teacher), rel=1e-4)


def test_without_embedding(points):
    student = points[0]
    assert CCLoss(embedding=None)(student, 2 * student).item() == pytest.approx(by_hand(student, 2 * student), rel=1e-4)
    assert correlation_distance(student, student) == 0


def test_gradients(points):
    loss = bound(*points)
    assert_gradient_is_the_students(loss, [points[0]], [points[1]])
    assert loss.embed_student.weight.grad.abs().sum() > 0 and loss.embed_teacher.weight.grad.abs().sum() > 0
    assert_zeros_leave_finite_gradients(loss, [points[0]], [points[1]])


def test_half_precision(points):
    assert_half_precision_is_close(bound(*points), [points[0]], [points[1]])


def test_refusals(points):
    with pytest.raises(ValueError, match='embedding must be 1 or more, or None, got 0'):
        CCLoss(embedding=0)
    with pytest.raises(
        ValueError, match='without an embedding needs features of one width, got 3 of the student and 7'
    ):
        bound(*points, embedding=None)
    with pytest.raises(RuntimeError, match='has not seen the two networks yet: call bind'):
        CCLoss()(*points)


def test_one_step():
    assert_one_step_trains(dict(type='topkd.CCLoss', loss_weight=0.02), learns=True)
