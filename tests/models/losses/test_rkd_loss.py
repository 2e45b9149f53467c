"""Distances and angles against loops over pairs and triples."""

import math

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)

from topkd.functional.rkd import angles, relative_distances
from topkd.models.losses.rkd_loss import RKDLoss


def huber(difference):
    return difference**2 / 2 if abs(difference) < 1 else abs(difference) - 0.5


def distances_by_hand(points):
    rows = points.tolist()
    table = [[math.dist(a, b) for b in rows] for a in rows]
    positive = [value for row in table for value in row if value > 0]
    mean = sum(positive) / len(positive)
    return [[value / mean for value in row] for row in table]


def angles_by_hand(points):
    rows = points.tolist()

    def cosine(i, j, k):
        a, b = ([p - q for p, q in zip(rows[end], rows[i])] for end in (j, k))
        length = math.hypot(*a) * math.hypot(*b)
        return sum(p * q for p, q in zip(a, b)) / length if length else 0.0

    count = range(len(rows))
    return [[[cosine(i, j, k) for k in count] for j in count] for i in count]


def by_hand(student, teacher):
    n = len(student)
    d_s, d_t = distances_by_hand(student), distances_by_hand(teacher)
    a_s, a_t = angles_by_hand(student), angles_by_hand(teacher)
    distance = sum(huber(d_s[i][j] - d_t[i][j]) for i in range(n) for j in range(n)) / n**2
    angle = sum(huber(a_s[i][j][k] - a_t[i][j][k]) for i in range(n) for j in range(n) for k in range(n)) / n**3
    return distance, angle


@pytest.fixture
def points():
    torch.manual_seed(0)
    return torch.randn(5, 3), torch.randn(5, 7) * 4


def test_value(points):
    distance, angle = by_hand(*points)
    assert RKDLoss(loss_weight=2.0)(*points).item() == pytest.approx(2 * (25 * distance + 50 * angle), rel=1e-4)
    only_angles = RKDLoss(distance_weight=0.0, angle_weight=1.0)
    assert only_angles(*points).item() == pytest.approx(angle, rel=1e-4)


def test_maps_are_averaged(points):
    student, teacher = points
    maps = student[:, :, None, None] + torch.tensor([[1.0, -1.0]])
    assert RKDLoss()(maps, teacher).item() == pytest.approx(RKDLoss()(student, teacher).item(), rel=1e-4)


def test_scale_shift_and_rotation_do_not_matter(points):
    student = points[0]
    rotation = torch.linalg.qr(torch.randn(3, 3))[0]
    assert RKDLoss()(student, 3 * student @ rotation + 5).item() == pytest.approx(0, abs=1e-5)


def test_equal_points(points):
    student = torch.zeros(4, 3, requires_grad=True)
    RKDLoss()(student, points[1][:4]).backward()
    assert student.grad.isfinite().all()
    assert relative_distances(torch.ones(3, 2)).tolist() == [[0.0] * 3] * 3
    twice = points[0][[0, 0, 1]]
    assert angles(twice)[0, 1].abs().sum() == 0


def test_gradients(points):
    assert_gradient_is_the_students(RKDLoss(), [points[0]], [points[1]])
    assert_zeros_leave_finite_gradients(RKDLoss(), [points[0]], [points[1]])


def test_half_precision(points):
    assert_half_precision_is_close(RKDLoss(), [points[0] * 100], [points[1]])


def test_one_step():
    assert_one_step_trains(dict(type='topkd.RKDLoss'), learns=False)
