"""Class activation maps against loops over classes and cells."""

import math

import pytest
import torch
from map_losses import assert_one_step_trains

from topkd.functional.catkd import activation_distance, class_activation_maps
from topkd.models.losses.catkd_loss import CATKDLoss
from topkd.models.losses.distillation_loss import Probe


def maps_by_hand(features, weight, cells):
    """Classify every position, then average the class maps over each cell."""
    positions = torch.einsum('kc,nchw->nkhw', weight, features)
    count, classes, height, width = positions.shape
    result = torch.zeros(count, classes, cells, cells)
    for row in range(cells):
        for column in range(cells):
            rows = slice(row * height // cells, (row + 1) * height // cells)
            columns = slice(column * width // cells, (column + 1) * width // cells)
            result[:, :, row, column] = positions[:, :, rows, columns].mean((2, 3))
    return result


def by_hand(student, teacher, normalize):
    values = []
    for s_image, t_image in zip(student, teacher):
        for s, t in zip(s_image.flatten(1).tolist(), t_image.flatten(1).tolist()):
            lengths = [math.sqrt(sum(value**2 for value in cam)) if normalize else 1 for cam in (s, t)]
            values.extend((a / lengths[0] - b / lengths[1]) ** 2 for a, b in zip(s, t))
    return sum(values) / len(values)


@pytest.fixture
def networks():
    torch.manual_seed(0)
    student = [torch.randn(3, 4, 4, 4), torch.randn(5, 4)]
    return student, [torch.randn(3, 6, 8, 8), torch.randn(5, 6)]


@pytest.mark.parametrize('normalize, cells', [(False, 2), (True, 2), (True, 4)])
def test_value(networks, normalize, cells):
    student, teacher = networks
    loss = CATKDLoss(resolution=cells, normalize=normalize, loss_weight=0.7)
    expected = by_hand(maps_by_hand(*student, cells), maps_by_hand(*teacher, cells), normalize)
    assert loss(student, teacher).item() == pytest.approx(0.7 * expected, rel=1e-4)


def test_average_of_the_maps_are_the_logits_without_bias(networks):
    features, weight = networks[0]
    cams = class_activation_maps(features, weight, 2)
    assert torch.allclose(cams.mean((2, 3)), features.mean((2, 3)) @ weight.t(), atol=1e-5)


def test_equal_maps_cost_nothing_whatever_made_them(networks):
    student, _ = networks
    double = [2 * student[0], student[1] / 2]
    assert CATKDLoss()(student, double).item() == pytest.approx(0, abs=1e-10)
    cams = class_activation_maps(*student, 2)
    assert activation_distance(3 * cams, cams, normalize=True).item() == pytest.approx(0, abs=1e-10)
    assert activation_distance(3 * cams, cams, normalize=False).item() > 0.1


def test_gradient_reaches_the_students_map_and_classifier(networks):
    student, teacher = ([level.clone().requires_grad_() for level in levels] for levels in networks)
    CATKDLoss(normalize=True)(student, teacher).backward()
    assert all(level.grad.abs().sum() > 0 for level in student)
    assert all(level.grad is None for level in teacher)


@pytest.mark.parametrize('normalize', [False, True])
def test_zeros(networks, normalize):
    student, teacher = networks
    for features in (0 * student[0], student[0]):
        level = features.clone().requires_grad_()
        CATKDLoss(normalize=normalize)([level, student[1]], [0 * teacher[0], teacher[1]]).backward()
        assert level.grad.isfinite().all()


def test_half_precision(networks):
    student, teacher = ([level.bfloat16() for level in levels] for levels in networks)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = CATKDLoss()(student, teacher)
    expected = CATKDLoss()([level.float() for level in student], [level.float() for level in teacher])
    assert torch.allclose(value, expected)


def test_refusals():
    image, weight = torch.zeros(1, 4, 2, 2), torch.zeros(10, 4)
    with pytest.raises(ValueError, match=r'same classes, the student has 10, the teacher 7: use a teacher of the same'):
        CATKDLoss().bind(None, Probe([image, weight], [image, torch.zeros(7, 4)]))
    with pytest.raises(ValueError, match=r'taps .* return \[\(1, 4\), \(10, 4\)\]: name both, such as'):
        CATKDLoss().bind(None, Probe([torch.zeros(1, 4), weight], [image, weight]))
    with pytest.raises(ValueError, match='CATKDLoss needs a map'):
        CATKDLoss(student_tap='backbone[0]').bind(None, Probe(image, [image, weight]))
    with pytest.raises(ValueError, match='resolution of CATKDLoss must be positive, got 0'):
        CATKDLoss(resolution=0)


def test_one_step():
    model = assert_one_step_trains(dict(type='topkd.CATKDLoss', loss_weight=15.0), learns=False)
    assert model.student.head.fc.weight.grad.abs().sum() > 0
