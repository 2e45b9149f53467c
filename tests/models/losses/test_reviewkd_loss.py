"""Knowledge review against loops over levels and poolings."""

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)

from topkd.functional.reviewkd import context_distance
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.reviewkd_loss import AttentionFusion, ReviewKDLoss


def pooled(maps, cells):
    """Average pooling to cells x cells, for sizes that are multiples of it."""
    n, c, h, w = maps.shape
    return maps.reshape(n, c, cells, h // cells, cells, w // cells).mean((3, 5))


def context_by_hand(student, teacher):
    terms, weights = [(student - teacher).square().mean().item()], [1.0]
    for cells in (4, 2, 1):
        if cells < student.shape[2]:
            weights.append(weights[-1] / 2)
            terms.append((pooled(student, cells) - pooled(teacher, cells)).square().mean().item())
    return sum(w * t for w, t in zip(weights, terms)) / sum(weights)


@pytest.mark.parametrize('size', [8, 4, 2, 1])
def test_context(size):
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 3, size, size), torch.randn(2, 3, size, size)
    assert context_distance(student, teacher).item() == pytest.approx(context_by_hand(student, teacher), rel=1e-5)
    assert context_distance(student, student) == 0


@pytest.fixture
def features():
    torch.manual_seed(0)
    student = [torch.randn(3, 4, 8, 8), torch.randn(3, 6, 4, 4), torch.randn(3, 6)]
    teacher = [torch.randn(3, 5, 8, 8), torch.randn(3, 7, 2, 2), torch.randn(3, 9)]
    return student, teacher


def bound(features, **arguments):
    torch.manual_seed(1)
    loss = ReviewKDLoss(**dict(dict(warmup_epochs=0), **arguments))
    loss.bind(None, Probe(*([level[:1] for level in levels] for levels in features)))
    return loss.eval()  # running statistics: an image does not depend on its batch


def test_value(features):
    """From the deepest level up: reduce, mix with what is below by two weights a position, resize, expand, compare."""
    student, teacher = features
    loss = bound(features, loss_weight=0.7)
    value, below = 0.0, None
    for level in (2, 1, 0):
        fusion, ours, theirs = loss.fusions[level], student[level], teacher[level]
        ours, theirs = (x.reshape(*x.shape, 1, 1) if x.ndim == 2 else x for x in (ours, theirs))
        mixed = fusion.reduce(ours)
        if level < 2:
            repeat = mixed.shape[2] // below.shape[2]
            below = below.repeat_interleave(repeat, 2).repeat_interleave(repeat, 3)
            weights = fusion.attention(torch.cat([mixed, below], 1))
            mixed = mixed * weights[:, 0, None] + below * weights[:, 1, None]
        stride = mixed.shape[2] // theirs.shape[2]
        below = mixed[:, :, ::stride, ::stride]
        value += context_by_hand(fusion.expand(below), theirs)
    assert loss(*features).item() == pytest.approx(0.7 * value, rel=1e-4)


def test_layers(features):
    loss = bound(features)
    assert [fusion.reduce[0].weight.shape[:2] for fusion in loss.fusions] == [(6, 4), (6, 6), (6, 6)]
    assert [fusion.expand[0].weight.shape[0] for fusion in loss.fusions] == [5, 7, 9]
    assert [fusion.attention is None for fusion in loss.fusions] == [False, False, True]
    assert AttentionFusion(3, 2, 5, fuse=False).attention is None


def test_warm_up(features):
    full = bound(features)(*features)
    assert bound(features, warmup_epochs=20)(*features).item() == pytest.approx(full.item() / 20, rel=1e-5)


def test_gradients(features):
    loss = bound(features)
    assert_gradient_is_the_students(loss, *features)
    assert all(parameter.grad is not None for parameter in loss.parameters())
    assert_zeros_leave_finite_gradients(loss, *features)


def test_half_precision(features):
    assert_half_precision_is_close(bound(features), *features, tolerance=0.05)


def test_refusals(features):
    with pytest.raises(ValueError, match='in pairs, got 3 of the student and 2 of the teacher: give student_tap'):
        ReviewKDLoss().bind(None, Probe(features[0], features[1][:2]))
    with pytest.raises(ValueError, match='warmup_epochs must be 0 or more, got -3'):
        ReviewKDLoss(warmup_epochs=-3)
    with pytest.raises(RuntimeError, match='has not seen the two networks yet'):
        ReviewKDLoss()(*features)


def test_one_step():
    model = assert_one_step_trains(dict(type='topkd.ReviewKDLoss', warmup_epochs=0), learns=True)
    assert len(model.losses.method.fusions) == 4
