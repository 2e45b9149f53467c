"""Probabilities of being neighbors against loops."""

import math

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)

from topkd.functional.pkt import neighbor_probabilities
from topkd.models.losses.pkt_loss import PKTLoss


def probabilities_by_hand(points):
    rows = points.tolist()
    table = []
    for a in rows:
        similar = [
            (1 + sum(p * q for p, q in zip(a, b)) / (math.hypot(*a) + 1e-7) / (math.hypot(*b) + 1e-7)) / 2 for b in rows
        ]
        table.append([value / sum(similar) for value in similar])
    return table


def by_hand(student, teacher):
    pairs = zip(sum(probabilities_by_hand(student), []), sum(probabilities_by_hand(teacher), []))
    return sum(t * math.log((t + 1e-7) / (s + 1e-7)) for s, t in pairs) / len(student) ** 2


@pytest.fixture
def points():
    torch.manual_seed(0)
    return torch.randn(5, 3), torch.randn(5, 7) * 4


def test_value(points):
    assert PKTLoss(loss_weight=30000.0)(*points).item() == pytest.approx(30000 * by_hand(*points), rel=1e-3)


def test_rows_are_probabilities(points):
    found = neighbor_probabilities(points[0])
    assert torch.allclose(found.sum(1), torch.ones(5)) and (found >= 0).all()


def test_lengths_do_not_matter(points):
    student = points[0]
    assert PKTLoss()(student * torch.rand(5, 1).add(0.5), student).item() == pytest.approx(0, abs=1e-7)
    assert PKTLoss()(*points).item() > 1e-4


def test_gradients(points):
    assert_gradient_is_the_students(PKTLoss(), [points[0]], [points[1]])
    assert_zeros_leave_finite_gradients(PKTLoss(), [points[0]], [points[1]])


def test_half_precision(points):
    assert_half_precision_is_close(PKTLoss(loss_weight=1000.0), [points[0] * 300], [points[1]])


def test_one_step():
    assert_one_step_trains(dict(type='topkd.PKTLoss', loss_weight=30000.0), learns=False)
