"""Masked generation against the generation written out for a known mask."""

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)
from torch.nn import functional as F

from topkd.functional.mgd import random_mask
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.mgd_loss import MGDLoss


@pytest.fixture
def maps():
    torch.manual_seed(0)
    return torch.randn(3, 4, 4, 4), torch.randn(3, 6, 4, 4)


def bound(maps, **arguments):
    torch.manual_seed(1)
    loss = MGDLoss(**arguments)
    loss.bind(None, Probe(*(level[:1] for level in maps)))
    return loss


@pytest.mark.parametrize('mask, shape', [('channels', (3, 6, 1, 1)), ('positions', (3, 1, 4, 4))])
def test_value(maps, mask, shape):
    loss = bound(maps, mask=mask, mask_ratio=0.4, loss_weight=2.0)
    student, teacher = maps
    torch.manual_seed(7)
    value = loss(student, teacher)
    torch.manual_seed(7)
    kept = (torch.rand(shape) >= 0.4).float()
    block = loss.generations[0]
    hidden = F.conv2d(student, block.align.weight, block.align.bias) * kept
    hidden = F.conv2d(hidden, block.generate[0].weight, block.generate[0].bias, padding=1).clamp_min(0)
    generated = F.conv2d(hidden, block.generate[2].weight, block.generate[2].bias, padding=1)
    expected = sum((generated[n] - teacher[n]).square().sum().item() for n in range(3)) / 3
    assert value.item() == pytest.approx(2 * expected, rel=1e-5)


def test_share_of_the_mask():
    torch.manual_seed(0)
    for mask in ('channels', 'positions'):
        kept = random_mask(torch.zeros(50, 40, 6, 6), 0.65, mask)
        assert kept.mean().item() == pytest.approx(0.35, abs=0.04) and set(kept.unique().tolist()) == {0.0, 1.0}
    assert random_mask(torch.zeros(2, 3, 2, 2), 0.0, 'channels').all()


def test_equal_channels_need_no_alignment_and_larger_maps_are_pooled(maps):
    student = torch.randn(3, 6, 8, 8)
    loss = bound((student, maps[1]))
    assert isinstance(loss.generations[0].align, torch.nn.Identity)
    assert loss(student, maps[1]).isfinite()


def test_levels_are_summed(maps):
    loss = MGDLoss(mask_ratio=0.0, student_tap=['a', 'b'])
    loss.bind(None, Probe([maps[0][:1]] * 2, [maps[1][:1]] * 2))
    single = [MGDLoss(mask_ratio=0.0) for _ in range(2)]
    for one, generation in zip(single, loss.generations):
        one.generations.append(generation)
    expected = sum(one(*maps).item() for one in single)
    assert loss([maps[0]] * 2, [maps[1]] * 2).item() == pytest.approx(expected, rel=1e-5)


def test_gradients(maps):
    loss = bound(maps, mask_ratio=0.0)
    assert_gradient_is_the_students(loss, [maps[0]], [maps[1]])
    assert all(parameter.grad is not None for parameter in loss.parameters())
    assert_zeros_leave_finite_gradients(loss, [maps[0]], [maps[1]])


def test_half_precision(maps):
    assert_half_precision_is_close(bound(maps, mask_ratio=0.0), [maps[0]], [maps[1]], tolerance=0.05)


def test_refusals(maps):
    with pytest.raises(ValueError, match='mask_ratio must be from 0 to below 1, got 1'):
        MGDLoss(mask_ratio=1)
    with pytest.raises(ValueError, match="mask must be 'channels' or 'positions', got 'pixels'"):
        MGDLoss(mask='pixels')
    with pytest.raises(RuntimeError, match='has not seen the two networks yet'):
        MGDLoss()(*maps)


def test_one_step():
    assert_one_step_trains(dict(type='topkd.MGDLoss', loss_weight=7e-3), learns=True)
