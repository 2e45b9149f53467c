"""Variational information against the density of torch's normal distribution and loops."""

import math

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)

from topkd.functional.vid import gaussian_distance
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.vid_loss import VIDLoss


def by_hand(mean, variance, teacher):
    """Mean negative log-density of every entry, less log(2 pi) / 2."""
    values = []
    for image, target in zip(mean, teacher):
        for channel, spread in enumerate(variance.tolist()):
            normal = torch.distributions.Normal(image[channel].double(), math.sqrt(spread))
            values.append(-normal.log_prob(target[channel].double()).flatten() - math.log(2 * math.pi) / 2)
    return torch.cat(values).mean().item()


def bound(student, teacher, **arguments):
    torch.manual_seed(0)
    loss = VIDLoss(**arguments)
    loss.bind(None, Probe(student[:1], teacher[:1]))
    return loss


@pytest.fixture
def maps():
    torch.manual_seed(0)
    return torch.randn(3, 4, 2, 5), torch.randn(3, 6, 2, 5)


def test_density():
    torch.manual_seed(0)
    mean, teacher, variance = torch.randn(2, 3, 2, 2), torch.randn(2, 3, 2, 2), torch.tensor([0.5, 1.0, 4.0])
    assert gaussian_distance(mean, variance, teacher).item() == pytest.approx(
        by_hand(mean, variance, teacher), rel=1e-5
    )


def test_value(maps):
    student, teacher = maps
    loss = bound(student, teacher, loss_weight=3.0, initial_variance=2.0)
    layers = loss.regressors[0]
    mean = student
    for index in (0, 2, 4):
        mean = torch.einsum('oc,nchw->nohw', layers.mean[index].weight[:, :, 0, 0], mean)
        mean = mean if index == 4 else mean.clamp(min=0)
    with torch.no_grad():
        layers.scale[0] = 1.5
    variance = torch.tensor([math.log(1 + math.exp(value)) + 1e-5 for value in layers.scale.tolist()])
    assert variance[1:].tolist() == pytest.approx([2.0] * 5, rel=1e-5)
    expected = 3 * by_hand(mean.detach(), variance, teacher)
    assert loss(student, teacher).item() == pytest.approx(expected, rel=1e-4)


def test_perfect_mean_leaves_the_logarithm_of_the_variance():
    mean, variance = torch.randn(2, 3, 2, 2), torch.tensor([1.0, 2.0, 3.0])
    assert gaussian_distance(mean, variance, mean).item() == pytest.approx(math.log(6) / 6, rel=1e-5)


def test_variance_learns_the_mean_squared_error():
    torch.manual_seed(0)
    loss = bound(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4))
    teacher = 0.5 * torch.randn(8, 1, 4, 4)
    optimizer = torch.optim.Adam([loss.regressors[0].scale], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        loss(torch.zeros(8, 1, 4, 4), teacher).backward()
        optimizer.step()
    assert loss.regressors[0].variance().item() == pytest.approx(teacher.square().mean().item(), rel=0.02)


def test_maps_of_different_size(maps):
    student, teacher = torch.randn(2, 4, 8, 8), torch.randn(2, 6, 4, 4)
    loss = bound(student, teacher)
    pooled = student.reshape(2, 4, 4, 2, 4, 2).mean((3, 5))
    assert loss(student, teacher).item() == pytest.approx(loss(pooled, teacher).item(), rel=1e-4)


def test_gradients(maps):
    loss = bound(*maps)
    assert_gradient_is_the_students(loss, [maps[0]], [maps[1]])
    assert_zeros_leave_finite_gradients(loss, [maps[0]], [maps[1]])
    assert all(parameter.grad.isfinite().all() for parameter in loss.parameters())


def test_half_precision(maps):
    assert_half_precision_is_close(bound(*maps), [maps[0]], [maps[1]])


def test_refusals():
    with pytest.raises(ValueError, match='VIDLoss needs 0 < eps < initial_variance, got eps 1, variance 0.5'):
        VIDLoss(initial_variance=0.5, eps=1)
    with pytest.raises(RuntimeError, match='VIDLoss has not seen the two networks yet: call bind'):
        VIDLoss()(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))


def test_one_step():
    assert_one_step_trains(dict(type='topkd.VIDLoss'), learns=True)
