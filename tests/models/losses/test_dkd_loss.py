"""Decoupled distillation against sums over classes."""

import math

import pytest
import torch
from map_losses import assert_one_step_trains
from mmpretrain.structures import DataSample

from topkd.functional.dkd import decoupled_divergences
from topkd.functional.kd import kd_divergence
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.dkd_loss import DKDLoss


def softmax(row, tau):
    values = [math.exp(value / tau) for value in row]
    return [value / sum(values) for value in values]


def by_hand(student, teacher, labels, tau):
    """TCKD and NCKD of the paper, image by image."""
    target = rest = 0.0
    for s, t, y in zip(student.tolist(), teacher.tolist(), labels.tolist()):
        s, t = softmax(s, tau), softmax(t, tau)
        target += t[y] * math.log(t[y] / s[y]) + (1 - t[y]) * math.log((1 - t[y]) / (1 - s[y]))
        for k in range(len(s)):
            if k != y:
                p_t, p_s = t[k] / (1 - t[y]), s[k] / (1 - s[y])
                rest += p_t * math.log(p_t / p_s)
    return tau**2 * target / len(labels), tau**2 * rest / len(labels)


@pytest.fixture
def batch():
    torch.manual_seed(0)
    return torch.randn(6, 5) * 3, torch.randn(6, 5) * 3, torch.tensor([0, 4, 2, 2, 1, 3])


def samples(labels):
    return [DataSample().set_gt_label(int(label)) for label in labels]


@pytest.mark.parametrize('tau', [1.0, 4.0])
def test_value(batch, tau):
    target, rest = by_hand(*batch, tau)
    got = decoupled_divergences(*batch, tau)
    assert got[0].item() == pytest.approx(target, rel=1e-5) and got[1].item() == pytest.approx(rest, rel=1e-5)
    loss = DKDLoss(alpha=0.5, beta=2.0, tau=tau, warmup_epochs=0, loss_weight=3.0)
    value = loss(*batch[:2], samples(batch[2]))
    assert value.item() == pytest.approx(3 * (0.5 * target + 2 * rest), rel=1e-5)


def test_kd_is_the_sum_weighted_by_what_the_teacher_leaves_to_the_others(batch):
    # Equation 6: KD = TCKD + (1 - p_y) NCKD, image by image
    student, teacher, labels = batch
    total = 0.0
    for row in range(len(labels)):
        one = slice(row, row + 1)
        target, rest = decoupled_divergences(student[one], teacher[one], labels[one], 4.0)
        left = 1 - (teacher[row] / 4).softmax(0)[labels[row]]
        total += target + left * rest
    assert total.item() / len(labels) == pytest.approx(kd_divergence(student, teacher, 4.0).item(), rel=1e-5)


def test_sure_predictions_stay_finite():
    student = torch.tensor([[200.0, 0.0, 0.0], [0.0, 0.0, 0.0]], requires_grad=True)
    teacher = torch.tensor([[300.0, 0.0, 0.0], [0.0, 500.0, 0.0]])
    value = DKDLoss(tau=1.0, warmup_epochs=0)(student, teacher, samples([0, 1]))
    value.backward()
    assert value.isfinite() and student.grad.isfinite().all()


def test_warm_up_scales_the_first_epoch(batch):
    full = DKDLoss(warmup_epochs=0)(*batch[:2], samples(batch[2]))
    first = DKDLoss(warmup_epochs=20)(*batch[:2], samples(batch[2]))
    assert first.item() == pytest.approx(full.item() / 20, rel=1e-5)


def test_gradient_reaches_the_student_only(batch):
    student, teacher = batch[0].requires_grad_(), batch[1].requires_grad_()
    DKDLoss()(student, teacher, samples(batch[2])).backward()
    assert student.grad.abs().sum() > 0 and teacher.grad is None


def test_half_precision(batch):
    expected = DKDLoss()(batch[0].bfloat16().float(), batch[1].bfloat16().float(), samples(batch[2]))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = DKDLoss()(batch[0].bfloat16(), batch[1].bfloat16(), samples(batch[2]))
    assert torch.allclose(value.float(), expected, rtol=1e-3)


def test_refusals(batch):
    with pytest.raises(ValueError, match='tau must be positive, got 0'):
        DKDLoss(tau=0)
    with pytest.raises(ValueError, match='warmup_epochs must be 0 or more, got -1'):
        DKDLoss(warmup_epochs=-1)
    with pytest.raises(ValueError, match='needs the label of every image'):
        DKDLoss()(*batch[:2])
    with pytest.raises(ValueError, match='must have the same classes'):
        DKDLoss().bind(None, Probe(torch.zeros(1, 3), torch.zeros(1, 4)))


def test_one_step():
    assert_one_step_trains(dict(type='topkd.DKDLoss', warmup_epochs=0), learns=False)
