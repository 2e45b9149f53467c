"""mmcv's focal loss without its compiled op: mmdet's plain form and a case by hand."""

import math

import pytest
import torch
from mmcv.ops import sigmoid_focal_loss
from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss
from torch.nn import functional as F


@pytest.mark.parametrize('gamma, alpha', [(2.0, 0.25), (1.5, 0.6), (0.0, 0.5)])
def test_loss_and_gradient_are_those_of_mmdets_plain_form(gamma, alpha):
    generator = torch.Generator().manual_seed(0)
    logits = 8 * torch.randn(40, 5, generator=generator, dtype=torch.float64)
    target = torch.randint(0, 6, (40,), generator=generator)  # 5 is the background
    found = []
    for function in (
        lambda x: sigmoid_focal_loss(x, target, gamma, alpha, None, 'none'),
        lambda x: py_sigmoid_focal_loss(x, F.one_hot(target, 6)[:, :5], gamma=gamma, alpha=alpha, reduction='none'),
    ):
        scores = logits.clone().requires_grad_()
        losses = function(scores)
        losses.sum().backward()
        found.append((losses.detach(), scores.grad))
    (ours, our_gradient), (theirs, their_gradient) = found
    assert torch.allclose(ours, theirs, rtol=1e-9, atol=1e-12)
    assert torch.allclose(our_gradient, their_gradient, rtol=1e-7, atol=1e-10)


def test_by_hand():
    # p = 1/2: 0.25 (1/2)^2 log 2 for the class, 0.75 (1/2)^2 log 2 for the other
    found = sigmoid_focal_loss(torch.zeros(1, 2), torch.tensor([0]), 2.0, 0.25, None, 'none')
    assert found[0].tolist() == pytest.approx([math.log(2) / 16, 3 * math.log(2) / 16])


def test_extreme_scores_are_finite():
    logits = torch.tensor([[200.0, -200.0]]).requires_grad_()
    loss = sigmoid_focal_loss(logits, torch.tensor([1]), 2.0, 0.25, None, 'sum')
    loss.backward()
    assert loss.item() == pytest.approx(200 * 0.75 + 200 * 0.25) and logits.grad.isfinite().all()


def test_half_precision_is_the_rounded_full_one():
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(1)).half()
    target = torch.tensor([0, 1, 2, 3, 0, 1])
    full = sigmoid_focal_loss(logits.float(), target, 2.0, 0.25, None, 'none')
    assert torch.equal(sigmoid_focal_loss(logits, target, 2.0, 0.25, None, 'none'), full.half())


def test_weights_by_class_say_what_is_missing():
    with pytest.raises(NotImplementedError, match="the op 'sigmoid_focal_loss with weights by class' needs mmcv with"):
        sigmoid_focal_loss(torch.zeros(1, 2), torch.tensor([0]), 2.0, 0.25, torch.ones(2), 'none')
