"""The reused classifier: the loss against loops, and a student that predicts by its teacher's classifier."""

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_zeros_leave_finite_gradients,
    small_distiller,
    small_teacher,
    step,
)
from small import batch, build, classifier

from topkd.functional.simkd import projection_distance
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.simkd_loss import SimKDLoss
from topkd.models.simkd_student import SimKDProjector, TeacherClassifierHead


@pytest.fixture
def maps():
    torch.manual_seed(0)
    return torch.randn(3, 6, 4, 4), torch.randn(3, 6, 4, 4)


@pytest.fixture
def checkpoint(tmp_path):
    path = str(tmp_path / 'teacher.pth')
    torch.save({'state_dict': small_teacher().module.state_dict()}, path)
    return path


def simkd_student(checkpoint=None, weight=0.0, width=4):
    return dict(
        classifier(width),
        neck=dict(type='topkd.SimKDProjector', in_channels=4 * width, out_channels=32),
        head=dict(
            type='topkd.TeacherClassifierHead',
            num_classes=10,
            in_channels=32,
            checkpoint=checkpoint,
            loss=dict(type='mmpretrain.CrossEntropyLoss', loss_weight=weight),
        ),
    )


def test_value(maps):
    differences = [(a - b) ** 2 for a, b in zip(maps[0].flatten().tolist(), maps[1].flatten().tolist())]
    expected = 2 * sum(differences) / len(differences)
    assert SimKDLoss(loss_weight=2.0)(*maps).item() == pytest.approx(expected, rel=1e-5)
    large = maps[1].repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert SimKDLoss(loss_weight=2.0)(maps[0], large).item() == pytest.approx(expected, rel=1e-5)
    assert projection_distance(maps[1], maps[1]).item() == 0


def test_projector_is_three_convolutions_and_a_mean():
    torch.manual_seed(0)
    projector = SimKDProjector(4, 6, factor=2).eval()
    maps = torch.randn(2, 4, 5, 5)
    x = maps
    for index in (0, 3, 6):
        x = projector.projection[index + 1](projector.projection[index](x)).clamp(min=0)
    assert torch.allclose(projector((maps[:1], maps))[0], x.mean((2, 3)), atol=1e-6)
    sizes = [
        (layer.out_channels, layer.kernel_size[0]) for layer in projector.projection if hasattr(layer, 'kernel_size')
    ]
    assert sizes == [(3, 1), (3, 3), (6, 1)]


def test_student_predicts_by_its_teachers_classifier(checkpoint):
    torch.manual_seed(0)
    student = build(simkd_student(checkpoint))
    student.init_weights()
    fc = small_teacher().module.head.fc
    assert torch.equal(student.head.fc.weight, fc.weight) and torch.equal(student.head.fc.bias, fc.bias)
    images = torch.randn(2, 3, 16, 16)
    student.eval()
    (vector,) = student.extract_feat(images)
    assert torch.allclose(student(images), vector @ fc.weight.t() + fc.bias, atol=1e-6)


def test_one_step_trains_backbone_and_projector_but_no_classifier(checkpoint):
    model = small_distiller(dict(type='topkd.SimKDLoss'), student=simkd_student(checkpoint))
    before = {name: value.detach().clone() for name, value in model.student.named_parameters()}
    losses = step(model)
    assert losses['loss'] == 0 and losses['loss_method'] > 0
    for name, value in model.student.named_parameters():
        assert torch.equal(value, before[name]) == name.startswith('head'), name
    assert not list(model.losses['method'].parameters())


def test_cross_entropy_of_weight_0_changes_no_gradient(checkpoint):
    model = small_distiller(dict(type='topkd.SimKDLoss'), student=simkd_student(checkpoint))
    data = model.data_preprocessor(batch(), training=True)
    gradients = []
    for keys in (['loss', 'loss_method'], ['loss_method']):
        losses = model.train()(**data, mode='loss')
        model.zero_grad()
        sum(losses[key] for key in keys).backward()
        gradients.append([value.grad.clone() for value in model.student.backbone.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*gradients))


def test_trained_student_needs_no_file_of_the_teacher(checkpoint):
    trained = build(simkd_student(checkpoint)).eval()
    alone = build(simkd_student(None)).eval()
    alone.load_state_dict(trained.state_dict())
    images = torch.randn(2, 3, 16, 16)
    assert torch.equal(alone(images), trained(images))


def test_gradients(maps):
    assert_gradient_is_the_students(SimKDLoss(), [maps[0]], [maps[1]])
    assert_zeros_leave_finite_gradients(SimKDLoss(), [maps[0]], [maps[1]])


def test_half_precision(maps):
    assert_half_precision_is_close(SimKDLoss(), [maps[0]], [maps[1]])


def test_refusals(checkpoint, maps):
    with pytest.raises(ValueError, match="makes 4 channels, the teacher's map has 6: set out_channels"):
        SimKDLoss().bind(None, Probe(maps[0][:, :4], maps[1]))
    with pytest.raises(ValueError, match='classifier of 16 channels and 10 classes in head.fc, got .*32'):
        TeacherClassifierHead(10, 16, checkpoint)
    with pytest.raises(ValueError, match='factor of SimKDProjector must be 1 to 4, got 8'):
        SimKDProjector(4, 4, factor=8)
