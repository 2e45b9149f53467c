"""Imitation near objects against loops over anchors."""

from types import SimpleNamespace

import pytest
import torch
from map_losses import small_teacher
from mmdet.models.task_modules import AnchorGenerator

from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.fgfi_loss import FGFILoss, near_objects

STRIDES = (8, 16)


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


@pytest.fixture
def teacher():
    generator = AnchorGenerator(strides=list(STRIDES), ratios=[0.5, 1.0], scales=[2.0])
    return SimpleNamespace(module=SimpleNamespace(rpn_head=SimpleNamespace(prior_generator=generator)))


@pytest.fixture
def batch():
    torch.manual_seed(0)
    student = [torch.randn(2, 3, 4, 6), torch.randn(2, 3, 2, 3)]
    teacher = [torch.randn(2, 5, 4, 6), torch.randn(2, 5, 2, 3)]
    boxes = [torch.tensor([[3.0, 2.0, 20.0, 17.0], [30.0, 8.0, 47.0, 30.0]]), torch.zeros(0, 4)]
    return student, teacher, [SimpleNamespace(gt_instances=SimpleNamespace(bboxes=box)) for box in boxes]


def bound(teacher, batch, **arguments):
    torch.manual_seed(1)
    loss = FGFILoss(**dict(dict(student_tap=['neck[0]', 'neck[1]']), **arguments))
    loss.bind(teacher, Probe(*([level[:1] for level in levels] for levels in batch[:2])))
    return loss


def test_value(teacher, batch):
    student, theirs, samples = batch
    loss = bound(teacher, batch, loss_weight=0.01)
    generator = teacher.module.rpn_head.prior_generator
    anchors = generator.grid_priors([(4, 6), (2, 3)], device='cpu')
    total, cells = 0.0, 0
    for n, sample in enumerate(samples):
        for level, maps in enumerate(zip(loss.adaptations, student, theirs)):
            layer, ours, target = maps
            adapted = layer(ours)
            for cell in range(ours.shape[2] * ours.shape[3]):
                near = False
                for box in sample.gt_instances.bboxes.tolist():
                    best = max(overlap(anchor, box) for part in anchors for anchor in part.tolist())
                    mine = anchors[level][2 * cell : 2 * cell + 2].tolist()
                    near |= any(overlap(anchor, box) > 0.5 * best for anchor in mine)
                if near:
                    row, column = divmod(cell, ours.shape[3])
                    total += (adapted[n, :, row, column] - target[n, :, row, column]).square().sum().item()
                    cells += 1
    assert cells > 4
    assert loss(*batch).item() == pytest.approx(0.01 * total / (2 * cells), rel=1e-4)


def test_gradient_is_the_students_and_the_adaptations(teacher, batch):
    loss = bound(teacher, batch)
    student, theirs = ([level.requires_grad_() for level in levels] for levels in batch[:2])
    loss(student, theirs, batch[2]).backward()
    assert student[0].grad.abs().sum() > 0 and all(level.grad is None for level in theirs)
    assert student[0].grad[1].abs().sum() == 0  # the image without objects
    assert loss.adaptations[0].weight.grad.abs().sum() > 0


def test_no_objects_cost_nothing(teacher, batch):
    loss = bound(teacher, batch)
    value = loss(batch[0], batch[1], [batch[2][1]] * 2)
    value.backward()
    assert value.item() == 0 and loss.adaptations[0].weight.grad is not None


def test_a_box_without_any_overlap_has_no_cells():
    level = torch.tensor([[0.0, 0, 10, 10]])
    assert near_objects([level], torch.tensor([[50.0, 50, 60, 60]]), 1, 0.5)[0].tolist() == [False]


def test_half_precision(teacher, batch):
    loss = bound(teacher, batch)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        value = loss([level.bfloat16() for level in batch[0]], [level.bfloat16() for level in batch[1]], batch[2])
    assert torch.allclose(value.float(), loss(*batch), rtol=0.05)


def test_refusals(teacher, batch):
    with pytest.raises(ValueError, match='threshold must be from 0 to below 1, got 2'):
        FGFILoss(threshold=2)
    with pytest.raises(
        ValueError, match='needs a teacher with anchors, such as FasterRCNN or RetinaNet, got ImageClassifier'
    ):
        bound(small_teacher(), batch)
    with pytest.raises(ValueError, match=r'name levels of the pyramid, neck\[0\] to neck\[1\], got .*neck\[4\]'):
        bound(teacher, batch, student_tap=['neck[0]', 'neck[4]'])
    with pytest.raises(ValueError, match='needs annotated boxes, got data samples without gt_instances'):
        bound(teacher, batch)(*batch[:2])
