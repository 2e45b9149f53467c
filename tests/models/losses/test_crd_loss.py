"""Contrastive distillation against loops over candidates."""

import copy
import math

import pytest
import torch
from mmpretrain.structures import DataSample

from topkd.functional.crd import noise_contrast
from topkd.models.losses.crd_loss import CRDLoss
from topkd.models.losses.distillation_loss import Probe

LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 1])


def samples(indices):
    return [DataSample(metainfo=dict(sample_idx=index)).set_gt_label(int(LABELS[index])) for index in indices]


def bound(**arguments):
    torch.manual_seed(1)
    loss = CRDLoss(**dict(dict(num_samples=10, embedding=4, num_negatives=5, temperature=0.5), **arguments))
    loss.bind(None, Probe(torch.zeros(1, 3), torch.zeros(1, 6)))
    loss.prepare(DataSet())
    return loss


class DataSet:
    labels = LABELS

    def __len__(self):
        return 10


@pytest.fixture
def features():
    torch.manual_seed(0)
    return torch.randn(3, 3), torch.randn(3, 6)


def unit(row):
    return row / row.norm()


def by_hand(loss, student, teacher, indices, normalizers=None):
    """The whole step, image by image, with the negatives that the generator gives now."""
    drawn = loss.negatives.draw(LABELS[indices], loss.num_negatives)
    scores = dict(student=[], teacher=[])
    for row, index in enumerate(indices):
        own = dict(
            student=unit(loss.embed_student.weight @ student[row] + loss.embed_student.bias),
            teacher=unit(loss.embed_teacher.weight @ teacher[row] + loss.embed_teacher.bias),
        )
        for name, bank in (('student', loss.teacher_bank), ('teacher', loss.student_bank)):
            candidates = [index, *drawn[row].tolist()]
            values = [math.exp(float(bank.embeddings[c] @ own[name]) / loss.temperature) for c in candidates]
            scores[name].append(values)
    total = 0.0
    for position, values in enumerate(scores.values()):
        flat = sum(values, [])
        constant = sum(flat) / len(flat) * 10 if normalizers is None else normalizers[position]
        noise = loss.num_negatives / 10
        for row in values:
            first, *rest = (value / constant for value in row)
            total -= math.log(first / (first + noise + 1e-7)) + sum(math.log(noise / (v + noise + 1e-7)) for v in rest)
    return total / len(indices)


def test_first_step_and_the_next(features):
    loss = bound(loss_weight=0.8).eval()
    for indices in ([2, 7, 0], [3, 7, 9]):
        normalizers = None if loss.normalizers[0] < 0 else loss.normalizers.tolist()
        torch.manual_seed(5)
        expected = by_hand(loss, *features, indices, normalizers)
        torch.manual_seed(5)
        assert loss(*features, samples(indices)).item() == pytest.approx(0.8 * expected, rel=1e-4)
    assert (loss.normalizers > 0).all()


def test_banks_move_in_training_only(features):
    loss = bound()
    before = copy.deepcopy(loss.state_dict())
    loss.eval()(*features, samples([2, 7, 0]))
    assert torch.equal(loss.student_bank.embeddings, before['student_bank.embeddings'])
    loss.train()(*features, samples([2, 7, 0]))
    moved = (loss.student_bank.embeddings != before['student_bank.embeddings']).any(1).nonzero().flatten()
    assert moved.tolist() == [0, 2, 7]
    expected = 0.5 * before['teacher_bank.embeddings'][7] + 0.5 * unit(loss.embed_teacher(features[1][1]))
    assert torch.allclose(loss.teacher_bank.embeddings[7], unit(expected), atol=1e-6)


def test_a_resumed_loss_goes_on_the_same(features):
    loss = bound().train()
    loss(*features, samples([2, 7, 0]))
    resumed = bound()
    resumed.load_state_dict(loss.state_dict(), strict=True)
    values = []
    for one in (loss, resumed.train()):
        torch.manual_seed(3)
        values.append(one(*features, samples([1, 7, 4])).item())
    assert values[0] == values[1]
    assert torch.equal(loss.teacher_bank.embeddings, resumed.teacher_bank.embeddings)


def test_noise_contrast_prefers_a_high_positive():
    low, high = torch.tensor([[0.1, 1.0, 1.0]]), torch.tensor([[9.0, 1.0, 1.0]])
    assert noise_contrast(high, 10) < noise_contrast(low, 10)


def test_gradients(features):
    loss = bound()
    student, teacher = features[0].requires_grad_(), features[1].requires_grad_()
    loss(student, teacher, samples([2, 7, 0])).backward()
    assert student.grad.abs().sum() > 0 and teacher.grad is None
    assert all(parameter.grad.abs().sum() > 0 for parameter in loss.parameters())
    zeros = torch.zeros(3, 3, requires_grad=True)
    with torch.no_grad():
        loss.embed_student.bias.zero_()
    loss(zeros, teacher.detach(), samples([2, 7, 0])).backward()
    assert zeros.grad.isfinite().all()


def test_half_precision(features):
    loss = bound().eval()
    loss(*features, samples([2, 7, 0]))
    values = []
    for half in (False, True):
        torch.manual_seed(5)
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=half):
            inputs = [level.bfloat16() if half else level.bfloat16().float() for level in features]
            values.append(loss(*inputs, samples([2, 7, 0])).item())
    assert values[0] == pytest.approx(values[1], rel=1e-3)


def test_refusals(features):
    loss = bound()
    with pytest.raises(
        ValueError, match='index of every image in the training set is needed, got data samples without sample_idx'
    ):
        loss(*features, [DataSample().set_gt_label(0)] * 3)
    with pytest.raises(
        ValueError, match='CRDLoss has banks of 12 images, the training set has 10: set its num_samples to 10'
    ):
        bound(num_samples=12)
    unprepared = CRDLoss(num_samples=10)
    unprepared.bind(None, Probe(torch.zeros(1, 3), torch.zeros(1, 6)))
    with pytest.raises(RuntimeError, match='does not know the training set yet: call prepare'):
        unprepared(*features, samples([2, 7, 0]))
    with pytest.raises(RuntimeError, match='has not seen the two networks yet'):
        CRDLoss(num_samples=10)(*features, samples([2, 7, 0]))
    with pytest.raises(ValueError, match='must be positive, got 128, 0 and 0.07'):
        CRDLoss(num_samples=10, num_negatives=0)


def test_banks_of_an_unknown_training_set_are_made_when_it_is_known():
    loss = bound(num_samples=None).train()
    assert loss.num_samples == 10 and not torch.equal(loss.student_bank.embeddings, torch.zeros(10, 4))
    torch.manual_seed(0)
    loss(torch.randn(3, 3), torch.randn(3, 6), samples([2, 7, 0]))
    resumed = CRDLoss(embedding=4, num_negatives=5)
    resumed.bind(None, Probe(torch.zeros(1, 3), torch.zeros(1, 6)))
    resumed.load_state_dict(loss.state_dict())
    resumed.prepare(DataSet())
    assert torch.equal(resumed.teacher_bank.embeddings, loss.teacher_bank.embeddings)
