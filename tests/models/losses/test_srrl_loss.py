"""Softmax regression against loops over features and classes."""

import pytest
import torch
from map_losses import assert_one_step_trains, assert_zeros_leave_finite_gradients, small_distiller, small_teacher
from torch import nn

from topkd.functional.srrl import regression_distance
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.srrl_loss import SRRLLoss


def mean_square(first, second):
    differences = [(a - b) ** 2 for a, b in zip(first.flatten().tolist(), second.flatten().tolist())]
    return sum(differences) / len(differences)


def bound(student, teacher, network=None, **arguments):
    torch.manual_seed(0)
    loss = SRRLLoss(**arguments)
    loss.bind(small_teacher() if network is None else network, Probe(student[:1], teacher[:1]))
    return loss


@pytest.fixture
def vectors():
    torch.manual_seed(0)
    return torch.randn(5, 16), torch.randn(5, 32)


def test_value(vectors):
    student, teacher = vectors
    network = small_teacher()
    loss = bound(student, teacher, network, loss_weight=3.0)
    mixed = student @ loss.connector[0].weight[:, :, 0, 0].t()
    connected = ((mixed - mixed.mean(0)) / (mixed.var(0, correction=0) + 1e-5).sqrt()).clamp(min=0)
    fc = network.module.head.fc
    ours, theirs = (features @ fc.weight.t() + fc.bias for features in (connected, teacher))
    expected = 3 * (mean_square(connected, teacher) + mean_square(ours, theirs))
    assert loss(student, teacher).item() == pytest.approx(expected, rel=1e-4)


def test_maps_are_connected_at_every_position_and_then_averaged(vectors):
    student, teacher = torch.randn(5, 16, 4, 4), torch.randn(5, 32, 2, 2)
    loss = bound(student, teacher)
    connected = loss.connector(student).mean((2, 3))
    expected = regression_distance(connected, teacher.mean((2, 3)), loss.classifier)
    assert loss(student, teacher).item() == pytest.approx(expected.item(), rel=1e-5)
    still = vectors[0][:, :, None, None].expand(-1, -1, 4, 4)
    assert loss(still, vectors[1]).item() == pytest.approx(loss(*vectors).item(), rel=1e-4)


def test_equal_features_cost_nothing(vectors):
    assert regression_distance(vectors[1], vectors[1], nn.Linear(32, 10)).item() == 0


def test_teachers_classifier_is_used_but_neither_trained_nor_saved(vectors):
    student, teacher = (features.clone().requires_grad_() for features in vectors)
    network = small_teacher()
    loss = bound(student, teacher, network)
    loss(student, teacher).backward()
    assert student.grad.abs().sum() > 0 and teacher.grad is None
    assert network.module.head.fc.weight.grad is None
    assert {name.split('.')[0] for name in loss.state_dict()} == {'connector'}


def test_zeros(vectors):
    assert_zeros_leave_finite_gradients(bound(*vectors), [vectors[0]], [vectors[1]])


def test_half_precision(vectors):
    loss = bound(*vectors)
    student, teacher = (features.bfloat16() for features in vectors)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = loss(student, teacher)
    assert torch.allclose(value.float(), loss(student.float(), teacher.float()), rtol=0.02)


def test_refusals(vectors):
    with pytest.raises(ValueError, match="'head.fc' must be a linear layer that reads 7 channels, those of 'neck.0.'"):
        bound(torch.zeros(1, 3), torch.zeros(1, 7))
    with pytest.raises(ValueError, match=r"tap 'neck\[0\]' returns something else: tap 'neck\[0\]'"):
        bound(torch.zeros(1, 3, 4), torch.zeros(1, 32))
    with pytest.raises(RuntimeError, match='SRRLLoss has not seen the two networks yet'):
        SRRLLoss()(*vectors)


def test_one_step():
    model = assert_one_step_trains(dict(type='topkd.SRRLLoss'), learns=True)
    assert not [key for key in model.state_dict() if 'classifier' in key]
    assert_one_step_trains(dict(type='topkd.SRRLLoss', student_tap='backbone[0]'), learns=True)
    with pytest.raises(KeyError, match="tap 'head.cls': LinearClsHead has no module 'cls'"):
        small_distiller(dict(type='topkd.SRRLLoss', classifier='head.cls'))
