"""Cross-layer distillation against loops over layers and images."""

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)

from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.semckd_loss import SemCKDLoss


@pytest.fixture
def features():
    torch.manual_seed(0)
    student = [torch.randn(4, 3, 4, 4), torch.randn(4, 5, 2, 2)]
    teacher = [torch.randn(4, 4, 4, 4), torch.randn(4, 6, 4, 4), torch.randn(4, 7, 1, 1)]
    return student, teacher


def bound(features, **arguments):
    torch.manual_seed(1)
    loss = SemCKDLoss(
        **dict(dict(batch_size=4, factor=2, student_tap=['a', 'b'], teacher_tap=['a', 'b', 'c']), **arguments)
    )
    loss.bind(None, Probe(*([level[:1] for level in levels] for levels in features)))
    return loss.eval()


def test_value(features):
    student, teacher = features
    loss = bound(features, loss_weight=400.0)
    total = 0.0
    for s, ours in enumerate(student):
        queries = loss.queries[s](ours.flatten(1) @ ours.flatten(1).T)
        energies, distances = [], []
        for t, theirs in enumerate(teacher):
            keys = loss.keys[t](theirs.flatten(1) @ theirs.flatten(1).T)
            energies.append(torch.stack([(q / q.norm()) @ (k / k.norm()) for q, k in zip(queries, keys)]))
            size = min(ours.shape[2], theirs.shape[2])
            small, target = (
                x.reshape(*x.shape[:2], size, x.shape[2] // size, size, x.shape[2] // size).mean((3, 5))
                for x in (ours, theirs)
            )
            difference = loss.regressors[s][t](small) - target
            distances.append(torch.stack([row.square().mean() for row in difference]))
        weights = torch.stack(energies, 1).softmax(1)
        total += (weights * torch.stack(distances, 1)).sum().item()
    assert loss(*features).item() == pytest.approx(400 * total / (4 * 2), rel=1e-4)


def test_gradients(features):
    loss = bound(features)
    assert_gradient_is_the_students(loss, *features)
    assert all(parameter.grad is not None for parameter in loss.parameters())
    assert_zeros_leave_finite_gradients(loss, *features)


def test_half_precision(features):
    assert_half_precision_is_close(bound(features), *features, tolerance=0.05)


def test_refusals(features):
    with pytest.raises(ValueError, match='batch_size must be at least factor, got 2 and 4'):
        SemCKDLoss(batch_size=2)
    with pytest.raises(ValueError, match='made for batches of 4 images, got 3: set its batch_size'):
        bound(features)(*([level[:3] for level in levels] for levels in features))
    with pytest.raises(ValueError, match=r"SemCKDLoss needs maps \(N, C, H, W\), tap 'c' returns \(1, 7\)"):
        bound((features[0], [*features[1][:2], torch.zeros(4, 7)]))
    with pytest.raises(RuntimeError, match='has not seen the two networks yet'):
        SemCKDLoss()(*features)


def test_one_step():
    assert_one_step_trains(dict(type='topkd.SemCKDLoss', batch_size=8), learns=True)
