"""Correlations of predictions against numpy's."""

import numpy as np
import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)

from topkd.functional.dist import pearson_distance
from topkd.models.losses.dist_loss import DISTLoss
from topkd.models.losses.distillation_loss import Probe


def by_hand(student, teacher, beta, gamma, tau):
    rows = [np.exp(logits.double().numpy() / tau) for logits in (student, teacher)]
    student, teacher = (row / row.sum(1, keepdims=True) for row in rows)
    within_images = np.mean([1 - np.corrcoef(s, t)[0, 1] for s, t in zip(student, teacher)])
    within_classes = np.mean([1 - np.corrcoef(s, t)[0, 1] for s, t in zip(student.T, teacher.T)])
    return tau**2 * (beta * within_images + gamma * within_classes)


@pytest.fixture
def logits():
    torch.manual_seed(0)
    return torch.randn(6, 5) * 2, torch.randn(6, 5) * 2


@pytest.mark.parametrize('beta, gamma, tau', [(1.0, 1.0, 1.0), (2.0, 0.0, 4.0), (0.0, 3.0, 2.0)])
def test_value(logits, beta, gamma, tau):
    loss = DISTLoss(beta=beta, gamma=gamma, tau=tau, loss_weight=1.5)
    assert loss(*logits).item() == pytest.approx(1.5 * by_hand(*logits, beta, gamma, tau), rel=1e-3)


def test_only_the_relations_count(logits):
    rows = logits[0].double()
    assert pearson_distance(rows, 3 * rows + 1).item() == pytest.approx(0, abs=1e-6)
    assert pearson_distance(rows, -rows).item() == pytest.approx(2, abs=1e-6)
    assert DISTLoss()(logits[0], logits[0]).item() == pytest.approx(0, abs=1e-4)


def test_gradients(logits):
    assert_gradient_is_the_students(DISTLoss(), [logits[0]], [logits[1]])
    assert_zeros_leave_finite_gradients(DISTLoss(), [logits[0]], [logits[1]])


def test_half_precision(logits):
    assert_half_precision_is_close(DISTLoss(tau=4.0), [logits[0]], [logits[1]])


def test_refusals():
    with pytest.raises(ValueError, match='tau must be positive, got -1'):
        DISTLoss(tau=-1)
    with pytest.raises(ValueError, match='must have the same classes'):
        DISTLoss().bind(None, Probe(torch.zeros(1, 3), torch.zeros(1, 4)))


def test_one_step():
    assert_one_step_trains(dict(type='topkd.DISTLoss', tau=4.0), learns=False)
