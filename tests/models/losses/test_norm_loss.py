"""N-to-one matching: the loss against loops over copies, and a student whose projector folds into its classifier."""

import numpy as np
import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_zeros_leave_finite_gradients,
    small_distiller,
    step,
)
from mmengine.logging import MessageHub
from small import build, classifier

from topkd.functional.norm import copies_distance
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.norm_loss import NORMLoss
from topkd.models.norm_student import NORMProjector


@pytest.fixture
def maps():
    torch.manual_seed(0)
    return torch.randn(3, 10, 4, 4), torch.randn(3, 5, 4, 4)


def norm_student(out_channels=32, copies=2, width=4):
    neck = dict(type='topkd.NORMProjector', in_channels=4 * width, out_channels=out_channels, copies=copies)
    return dict(classifier(width), neck=neck)


def test_value(maps):
    student, teacher = (features.numpy() for features in maps)
    total = 0.0
    for copy in range(2):
        for channel in range(5):
            total += np.square(student[:, 5 * copy + channel] - teacher[:, channel]).mean() / 5
    assert NORMLoss(loss_weight=3.0)(*maps).item() == pytest.approx(3 * total, rel=1e-5)


def test_the_larger_map_is_max_pooled(maps):
    student, teacher = maps
    large = torch.randn(3, 5, 8, 8)
    blocks = large.reshape(3, 5, 4, 2, 4, 2).amax((3, 5))
    assert copies_distance(student, large).item() == pytest.approx(copies_distance(student, blocks).item(), rel=1e-6)
    small = student.reshape(3, 10, 2, 2, 2, 2).amax((3, 5))
    coarse = teacher[:, :, ::2, ::2]
    assert copies_distance(student, coarse).item() == pytest.approx(copies_distance(small, coarse).item(), rel=1e-6)


def test_copies_of_the_teacher_cost_nothing(maps):
    assert copies_distance(maps[1].repeat(1, 3, 1, 1), maps[1]).item() == 0


def test_gradients_and_half_precision(maps):
    loss = NORMLoss()
    assert_gradient_is_the_students(loss, [maps[0]], [maps[1]])
    assert_zeros_leave_finite_gradients(loss, [maps[0]], [maps[1]])
    assert_half_precision_is_close(loss, [maps[0]], [maps[1]])


def test_schedule(maps):
    loss = NORMLoss(schedule=[(0, 0.1), (10, 0.5), (20, 1.0)])
    full = NORMLoss()(*maps).item()
    for epoch, factor in ((0, 0.1), (9, 0.1), (10, 0.5), (19, 0.5), (20, 1.0), (239, 1.0)):
        MessageHub.get_current_instance().update_info('epoch', epoch)
        assert loss(*maps).item() == pytest.approx(factor * full, rel=1e-6)


def test_projector_is_linear_and_folds_into_the_classifier():
    torch.manual_seed(0)
    for residual in (True, False):
        student = build(norm_student()).train()
        student.neck.residual = residual
        for norm in (student.neck.expand[1], student.neck.contract[1]):
            torch.nn.init.normal_(norm.weight)
            torch.nn.init.normal_(norm.bias)
        student(torch.randn(8, 3, 16, 16))  # moves the running statistics
        student.eval()
        images = torch.randn(4, 3, 16, 16)
        folded = student.neck.folded(student.head.fc)
        pooled = student.backbone(images)[-1].mean((2, 3))
        assert torch.allclose(folded(pooled), student(images), atol=1e-4)


def test_one_step_trains_the_student_and_its_projector():
    model = small_distiller(dict(type='topkd.NORMLoss'), student=norm_student())
    before = {name: value.detach().clone() for name, value in model.student.named_parameters()}
    losses = step(model)
    assert losses['loss_method'] > 0 and losses['gradient_ratio_method'] > 0
    assert all(not torch.equal(value, before[name]) for name, value in model.student.named_parameters())
    assert not list(model.losses.parameters())
    twin = small_distiller(dict(type='topkd.NORMLoss'), student=norm_student())
    twin.load_state_dict(model.state_dict(), strict=True)


def test_refusals(maps):
    with pytest.raises(
        ValueError,
        match="projector makes 10 channels, no multiple of the teacher map's 4: set out_channels of NORMProjector to 4",
    ):
        NORMLoss().bind(None, Probe(torch.zeros(1, 10, 2, 2), torch.zeros(1, 4, 2, 2)))
    with pytest.raises(ValueError, match=r"NORMLoss needs maps \(N, C, H, W\), tap 'neck.expand' returns \(1, 10\)"):
        NORMLoss().bind(None, Probe(torch.zeros(1, 10), torch.zeros(1, 5, 2, 2)))
    with pytest.raises(ValueError, match=r'schedule must name epochs in order from 0, got \[1\]'):
        NORMLoss(schedule=[(1, 0.5)])
    with pytest.raises(ValueError, match='copies of NORMProjector must be 1 or more, got 0'):
        NORMProjector(4, 4, copies=0)
    with pytest.raises(KeyError, match="tap 'neck.expand': GlobalAveragePooling has no module 'expand'"):
        small_distiller(dict(type='topkd.NORMLoss'))
