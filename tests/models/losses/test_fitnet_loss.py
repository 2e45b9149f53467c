"""Hints against loops over entries, and the regressor's choice of a convolution."""

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)
from torch import nn

from topkd.functional.fitnet import hint_distance
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.fitnet_loss import FitNetLoss


def by_hand(regressed, teacher):
    differences = [(a - b) ** 2 for a, b in zip(regressed.flatten().tolist(), teacher.flatten().tolist())]
    return sum(differences) / len(differences)


def bound(student, teacher, **arguments):
    torch.manual_seed(0)
    loss = FitNetLoss(**arguments)
    loss.bind(None, Probe(student[:1], teacher[:1]))
    return loss


@pytest.fixture
def maps():
    torch.manual_seed(0)
    return torch.randn(3, 4, 4, 4), torch.randn(3, 6, 4, 4)


def test_value(maps):
    student, teacher = maps
    loss = bound(student, teacher, loss_weight=100.0)
    convolution, norm, _ = loss.regressors[0]
    weight = convolution.weight[:, :, 0, 0]
    mixed = torch.einsum('oc,nchw->nohw', weight, student) + convolution.bias.reshape(1, -1, 1, 1)
    mean, variance = mixed.mean((0, 2, 3), keepdim=True), mixed.var((0, 2, 3), correction=0, keepdim=True)
    regressed = ((mixed - mean) / (variance + norm.eps).sqrt()).clamp(min=0)
    assert loss(student, teacher).item() == pytest.approx(100 * by_hand(regressed, teacher), rel=1e-4)


def test_equal_maps_cost_nothing_and_the_larger_is_pooled():
    torch.manual_seed(0)
    large = torch.randn(2, 3, 4, 4)
    pooled = large.reshape(2, 3, 2, 2, 2, 2).mean((3, 5))
    assert hint_distance(large, large).item() == 0
    assert hint_distance(pooled, large).item() == pytest.approx(0, abs=1e-12)
    assert hint_distance(large, pooled + 2).item() == pytest.approx(4, rel=1e-5)


@pytest.mark.parametrize(
    'size, target, convolution',
    [(8, 8, nn.Conv2d), (8, 4, nn.Conv2d), (4, 8, nn.ConvTranspose2d), (8, 2, nn.Conv2d), (2, 8, nn.Conv2d)],
)
def test_regressor_meets_the_teachers_size_at_other_sizes_than_the_probes(size, target, convolution):
    loss = bound(torch.zeros(1, 3, 2 * size, 2 * size), torch.zeros(1, 5, 2 * target, 2 * target))
    assert type(loss.regressors[0][0]) is convolution
    student, teacher = torch.randn(2, 3, size, size), torch.randn(2, 5, target, target)
    if size in (2 * target, target) or 2 * size == target:
        assert loss.regressors[0](student).shape == teacher.shape
    assert loss(student, teacher).isfinite()


def test_several_maps_are_summed(maps):
    student, teacher = maps
    loss = FitNetLoss(student_tap=['a', 'b'])
    loss.bind(None, Probe([student[:1]] * 2, [teacher[:1]] * 2))
    single = [hint_distance(layers(student), teacher) for layers in loss.regressors]
    assert loss([student] * 2, [teacher] * 2).item() == pytest.approx(sum(single).item(), rel=1e-5)
    with pytest.raises(ValueError):
        loss([student], [teacher])


def test_gradients(maps):
    loss = bound(*maps)
    assert_gradient_is_the_students(loss, [maps[0]], [maps[1]])
    assert_zeros_leave_finite_gradients(loss, [maps[0]], [maps[1]])


def test_half_precision(maps):
    assert_half_precision_is_close(bound(*maps), [maps[0]], [maps[1]])


def test_refusals():
    with pytest.raises(RuntimeError, match='FitNetLoss has not seen the two networks yet: call bind'):
        FitNetLoss()(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))
    with pytest.raises(ValueError, match='FitNetLoss needs maps'):
        FitNetLoss().bind(None, Probe(torch.zeros(1, 3), torch.zeros(1, 3)))


def test_one_step():
    assert_one_step_trains(dict(type='topkd.FitNetLoss', loss_weight=100.0), learns=True)
