"""Softened logits against the formula written out."""

import math

import pytest
import torch
from map_losses import assert_half_precision_is_close, assert_one_step_trains

from topkd.models import KDLoss
from topkd.models.losses.distillation_loss import Probe


def by_hand(student, teacher, tau):
    """tau^2 sum_k p_T(k) log(p_T(k) / p_S(k)), mean over the batch, in plain Python."""
    total = 0.0
    for s, t in zip(student.tolist(), teacher.tolist()):
        s = [math.exp(x / tau) for x in s]
        t = [math.exp(x / tau) for x in t]
        s, t = [x / sum(s) for x in s], [x / sum(t) for x in t]
        total += sum(q * math.log(q / p) for p, q in zip(s, t))
    return tau**2 * total / len(student)


@pytest.mark.parametrize('tau', [1.0, 4.0])
def test_value(tau):
    torch.manual_seed(0)
    student, teacher = torch.randn(5, 7) * 3, torch.randn(5, 7) * 3
    loss = KDLoss(tau=tau, loss_weight=2.0)(student, teacher)
    assert loss.item() == pytest.approx(2 * by_hand(student, teacher, tau), rel=1e-5)


def test_equal_logits_cost_nothing_and_shifts_do_not_matter():
    logits = torch.randn(4, 3)
    assert KDLoss()(logits + 5, logits).item() == pytest.approx(0, abs=1e-5)


def test_gradient_of_a_large_temperature_is_that_of_matching_centred_logits():
    # Hinton et al. 2015, Section 2.1: for large tau the gradient tends to (z_S - z_T) / (N K) for zero-mean logits
    student = torch.tensor([[1.0, -1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    teacher = torch.tensor([[0.5, 0.5, -1.0]], dtype=torch.float64)
    KDLoss(tau=1e3)(student, teacher).backward()
    assert torch.allclose(student.grad, ((student - teacher) / 3).detach(), atol=1e-3)


def test_half_precision_logits_are_raised():
    student, teacher = torch.randn(4, 3) * 50, torch.randn(4, 3) * 50
    expected = KDLoss()(student.half().float(), teacher.half().float())
    assert torch.allclose(KDLoss()(student.half(), teacher.half()), expected)


def test_no_samples_cost_nothing():
    student = torch.zeros(0, 3, requires_grad=True)
    loss = KDLoss()(student, torch.zeros(0, 3))
    loss.backward()
    assert loss.item() == 0


def test_other_classes():
    with pytest.raises(ValueError, match=r'same classes, got logits \(2, 3\) and \(2, 4\)'):
        KDLoss()(torch.zeros(2, 3), torch.zeros(2, 4))


def test_temperature():
    with pytest.raises(ValueError, match='tau must be positive, got 0'):
        KDLoss(tau=0)


def standardized_by_hand(row):
    mean = sum(row) / len(row)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in row) / (len(row) - 1))
    return [(value - mean) / (deviation + 1e-7) for value in row]


def test_standardized_value():
    torch.manual_seed(0)
    student, teacher = torch.randn(5, 7) * 3 + 1, torch.randn(5, 7) * 0.2
    rows = [torch.tensor([standardized_by_hand(row) for row in logits.tolist()]) for logits in (student, teacher)]
    loss = KDLoss(tau=2.0, standardize=True, loss_weight=9.0)
    assert loss(student, teacher).item() == pytest.approx(9 * by_hand(*rows, 2.0), rel=1e-5)


def test_standardized_logits_ignore_mean_and_scale():
    logits = torch.randn(4, 6)
    assert KDLoss(standardize=True)(7 * logits - 3, logits).item() == pytest.approx(0, abs=1e-5)
    assert KDLoss()(7 * logits - 3, logits).item() > 0.1


def test_equal_logits_have_finite_gradients():
    student = torch.zeros(2, 4, requires_grad=True)
    KDLoss(standardize=True)(student, torch.randn(2, 4)).backward()
    assert student.grad.isfinite().all()


def test_standardized_half_precision():
    assert_half_precision_is_close(
        KDLoss(tau=2.0, standardize=True), [torch.randn(4, 9) * 10], [torch.randn(4, 9) * 10]
    )


def test_binding_refuses_maps_and_other_classes():
    with pytest.raises(
        ValueError, match=r"KDLoss needs one vector an image \(N, C\), tap 'head.fc' returns \(1, 3, 2, 2\)"
    ):
        KDLoss().bind(None, Probe(torch.zeros(1, 3, 2, 2), torch.zeros(1, 3)))
    with pytest.raises(ValueError, match=r'same classes, got logits \(1, 3\) and \(1, 4\)'):
        KDLoss().bind(None, Probe(torch.zeros(1, 3), torch.zeros(1, 4)))


def test_one_step():
    assert_one_step_trains(dict(type='topkd.KDLoss', tau=2.0, standardize=True, loss_weight=9.0), learns=False)
