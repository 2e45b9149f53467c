"""Channel-wise divergence against loops over channels."""

import math

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)

from topkd.functional.cwd import channel_divergence
from topkd.models.losses.cwd_loss import CWDLoss
from topkd.models.losses.distillation_loss import Probe


def by_hand(student, teacher, tau):
    total = 0.0
    for n in range(len(student)):
        for c in range(student.shape[1]):
            s, t = ([math.exp(v / tau) for v in maps[n, c].flatten().tolist()] for maps in (student, teacher))
            total += sum(q / sum(t) * math.log((q / sum(t)) / (p / sum(s))) for p, q in zip(s, t))
    return tau**2 * total / (len(student) * student.shape[1])


@pytest.fixture
def maps():
    torch.manual_seed(0)
    return torch.randn(3, 4, 2, 3), torch.randn(3, 4, 2, 3)


def bound(student, teacher, **arguments):
    torch.manual_seed(1)
    loss = CWDLoss(**arguments)
    loss.bind(None, Probe(student[:1], teacher[:1]))
    return loss


@pytest.mark.parametrize('tau', [1.0, 4.0])
def test_value(maps, tau):
    assert bound(*maps, tau=tau, loss_weight=5.0)(*maps).item() == pytest.approx(5 * by_hand(*maps, tau), rel=1e-4)


def test_other_channels_are_projected_and_larger_maps_pooled(maps):
    student = torch.randn(3, 7, 4, 6)
    loss = bound(student, maps[1])
    projected = torch.einsum('nchw,dc->ndhw', student, loss.projections[0].weight[:, :, 0, 0])
    pooled = projected.reshape(3, 4, 2, 2, 3, 2).mean((3, 5))
    assert loss(student, maps[1]).item() == pytest.approx(by_hand(pooled, maps[1], 1.0), rel=1e-4)


def test_a_channels_level_does_not_matter(maps):
    assert channel_divergence(maps[0] + torch.randn(4, 1, 1), maps[0], 1.0).item() == pytest.approx(0, abs=1e-6)


def test_gradients(maps):
    loss = bound(*maps)
    assert_gradient_is_the_students(loss, [maps[0]], [maps[1]])
    assert_zeros_leave_finite_gradients(loss, [maps[0]], [maps[1]])


def test_half_precision(maps):
    assert_half_precision_is_close(bound(*maps), [maps[0] * 10], [maps[1] * 10])


def test_refusals(maps):
    with pytest.raises(ValueError, match='tau must be positive, got 0'):
        CWDLoss(tau=0)
    with pytest.raises(RuntimeError, match='has not seen the two networks yet'):
        CWDLoss()(*maps)


def test_one_step():
    assert_one_step_trains(dict(type='topkd.CWDLoss'), learns=True)
