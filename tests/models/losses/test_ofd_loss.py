"""Partial distances against loops with the three cases of the paper, margins against numerical integration."""

import math

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
    small_distiller,
    small_teacher,
)
from scipy.integrate import quad
from scipy.stats import norm

from topkd.functional.ofd import negative_mean, partial_distance
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.ofd_loss import OFDLoss


def by_hand(student, teacher, margins):
    """Sum the three cases entry by entry: teacher positive, above its margin, below it."""
    total = 0.0
    for s_image, t_image in zip(student, teacher):
        for channel, m in enumerate(margins.tolist()):
            for s, t in zip(s_image[channel].flatten().tolist(), t_image[channel].flatten().tolist()):
                if t > 0:
                    total += (s - t) ** 2
                elif t > m and s > t:
                    total += (s - t) ** 2
                elif t <= m and s > m:
                    total += (s - m) ** 2
    return total / len(student)


def bound(student, teacher, taps=3, **arguments):
    """Bind to the stages of a teacher of 8, 16 and 32 channels."""
    torch.manual_seed(0)
    loss = OFDLoss(**arguments)
    loss.bind(small_teacher(), Probe([level[:1] for level in student], [level[:1] for level in teacher]))
    return loss


@pytest.fixture
def networks():
    torch.manual_seed(0)
    student = [torch.randn(3, width, 4, 4) for width in (4, 8, 16)]
    return student, [torch.randn(3, width, 4, 4) for width in (8, 16, 32)]


def test_distance():
    torch.manual_seed(0)
    student, teacher, margins = 2 * torch.randn(3, 4, 2, 5), torch.randn(3, 4, 2, 5), -torch.rand(4)
    assert partial_distance(student, teacher, margins).item() == pytest.approx(by_hand(student, teacher, margins))
    large = teacher.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert partial_distance(student, large, margins).item() == pytest.approx(by_hand(student, teacher, margins))


def test_nothing_to_learn_where_both_are_suppressed():
    teacher = torch.full((2, 1, 2, 2), -2.0)
    assert partial_distance(teacher - 1, teacher, torch.tensor([-1.0])).item() == 0
    assert partial_distance(torch.full_like(teacher, -1.0), teacher, torch.tensor([-1.0])).item() == 0
    assert partial_distance(teacher.relu() + 3, teacher.relu() + 3, torch.tensor([-1.0])).item() == 0


@pytest.mark.parametrize('weight, bias', [(1.0, 0.0), (0.5, 0.3), (-2.0, -1.0), (1.0, 2.5), (0.2, -3.0)])
def test_margin_is_the_mean_of_the_negative_part(weight, bias):
    scale = abs(weight)
    density = norm(bias, scale).pdf
    lowest = bias - 12 * scale
    mass, moment = (quad(lambda x, k=k: x**k * density(x), lowest, 0, limit=200)[0] for k in (0, 1))
    value = negative_mean(torch.tensor([weight]), torch.tensor([bias])).item()
    assert value == pytest.approx(moment / mass, rel=1e-5)


def test_margin_of_a_channel_that_is_never_negative():
    assert negative_mean(torch.tensor([0.5]), torch.tensor([2.0])).item() == pytest.approx(-1.5)
    dead = negative_mean(torch.zeros(3), torch.tensor([-1.0, 0.0, 1.0]))
    assert torch.allclose(dead, torch.tensor([-1.0, 0.0, 0.0]), atol=1e-6)


def test_value(networks):
    student, teacher = networks
    loss = bound(student, teacher, loss_weight=0.001)
    expected = 0.0
    with torch.no_grad():
        for level in range(3):
            weight = loss.connectors[level][0].weight[:, :, 0, 0]
            mixed = torch.einsum('oc,nchw->nohw', weight, student[level])
            mean, variance = mixed.mean((0, 2, 3), keepdim=True), mixed.var((0, 2, 3), correction=0, keepdim=True)
            connected = (mixed - mean) / (variance + 1e-5).sqrt()
            margins = torch.full((8 * 2**level,), -math.sqrt(2 / math.pi))  # of a fresh normalization: N(0, 1)
            expected += by_hand(connected, teacher[level], margins) / (4, 2, 1)[level]
    assert loss(student, teacher).item() == pytest.approx(0.001 * expected, rel=1e-4)


def test_margins_are_the_teachers_and_are_saved(networks):
    teacher = small_teacher()
    norm_layer = teacher.module.backbone.layer2[0].bn2
    norm_layer.weight.fill_(0.5)
    norm_layer.bias.fill_(0.3)
    loss = OFDLoss()
    loss.bind(teacher, Probe([level[:1] for level in networks[0]], [level[:1] for level in networks[1]]))
    assert torch.allclose(loss.state_dict()['margin1'], negative_mean(torch.tensor(0.5), torch.tensor(0.3)).expand(16))
    assert not [name for name, _ in loss.named_parameters() if 'margin' in name]


def test_gradients(networks):
    loss = bound(*networks)
    assert_gradient_is_the_students(loss, *networks)
    assert_zeros_leave_finite_gradients(loss, *networks)


def test_half_precision(networks):
    assert_half_precision_is_close(bound(*networks), *networks)


def test_refusals(networks):
    student, teacher = ([level[:1] for level in levels] for levels in networks)
    with pytest.raises(ValueError, match='no batch normalization before backbone.layer1 of a CIFARResNet: set'):
        OFDLoss(teacher_tap=['backbone.layer1']).bind(small_teacher(), Probe(student[:1], teacher[:1]))
    with pytest.raises(ValueError, match='OFDLoss needs one norm for each tap, got 1 for 3 taps: set norms'):
        OFDLoss(norms=['backbone.stem.bn']).bind(small_teacher(), Probe(student, teacher))
    with pytest.raises(ValueError, match="norm 'backbone.layer3' must be a .* of 8 channels, got Sequential of None"):
        OFDLoss(norms=['backbone.layer3']).bind(small_teacher(), Probe(student[:1], teacher[:1]))
    with pytest.raises(RuntimeError, match='OFDLoss has not seen the two networks yet'):
        OFDLoss()(student, teacher)


def test_one_step():
    model = assert_one_step_trains(dict(type='topkd.OFDLoss', loss_weight=0.001), learns=True)
    assert sum(key.startswith('losses.method.margin') for key in model.state_dict()) == 3


def test_named_norms_and_one_level():
    loss = dict(type='topkd.OFDLoss', student_tap='backbone.layer3.-1.relu(0)', norms=['backbone.layer3.-1.bn2'])
    assert len(small_distiller(loss).losses['method'].connectors) == 1
