"""Relation contrast against loops over images, anchors and candidates that make every difference."""

import copy
import inspect
import math

import pytest
import torch
from map_losses import small_distiller
from mmengine.logging import MessageHub
from mmpretrain.structures import DataSample
from small import batch

from topkd.functional.crcd import classification_gradient
from topkd.models.losses import crcd_loss, crd_loss
from topkd.models.losses.crcd_loss import CRCDLoss
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.parts import memory_bank, relation_contrast
from topkd.models.losses.parts.relation_contrast import relation_cosines

LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 1])


def samples(indices):
    return [DataSample(metainfo=dict(sample_idx=index)).set_gt_label(int(LABELS[index])) for index in indices]


class DataSet:
    labels = LABELS

    def __len__(self):
        return 10


def bound(**arguments):
    torch.manual_seed(1)
    loss = CRCDLoss(**dict(dict(num_samples=10, embedding=4, num_negatives=5, temperature=0.5), **arguments))
    shapes = (
        (torch.zeros(1, 3), torch.zeros(1, 3), torch.zeros(3, 3)),
        (torch.zeros(1, 6), torch.zeros(1, 3), torch.zeros(3, 6)),
    )
    loss.bind(None, Probe(*(list(shape) for shape in shapes)))
    loss.prepare(DataSet())
    return loss


@pytest.fixture
def features():
    torch.manual_seed(0)
    weights = torch.randn(3, 3), torch.randn(3, 6)
    vectors = torch.randn(3, 3), torch.randn(3, 6)
    return [[vector, vector @ weight.T, weight] for vector, weight in zip(vectors, weights)]


def unit(row):
    return row / row.norm()


def contrast_by_hand(relation, student, teacher, indices, drawn, normalizers=None):
    """One kind of relation: every direction is made and compared by itself."""
    flat, rows = [], []
    for own, embed, bank in (
        (student, relation.embed_student, relation.teacher_bank.embeddings),
        (teacher, relation.embed_teacher, relation.student_bank.embeddings),
    ):
        values = []
        for row, index in enumerate(indices):
            embedded = unit(embed.weight @ own[row] + embed.bias)
            for anchor in indices:
                direction = unit(embedded - bank[anchor] + 1e-6)
                candidates = [index, *drawn[row].tolist()]
                others = [unit(bank[candidate] - bank[anchor] + 1e-6) for candidate in candidates]
                values.append([math.exp((direction @ other).item() / relation.temperature) for other in others])
        rows.append(values)
        flat.append(sum(values, []))
    if normalizers is None:
        normalizers = [10 * sum(values) / len(values) for values in flat]
    total, noise = 0.0, drawn.shape[1] / 10
    for values, constant in zip(rows, normalizers):
        for row in values:
            first, *rest = (value / constant for value in row)
            total -= math.log(first / (first + noise + 1e-7)) + sum(math.log(noise / (v + noise + 1e-7)) for v in rest)
    return total / len(indices) ** 2


def gradients_by_autograd(vector, weight, labels):
    vector = vector.clone().requires_grad_()
    loss = torch.nn.functional.cross_entropy(vector @ weight.T, labels)
    return torch.autograd.grad(loss, vector)[0]


def test_classification_gradient(features):
    vector, logits, weight = features[1]
    labels = torch.tensor([2, 0, 1])
    expected = gradients_by_autograd(vector, weight, labels)
    assert torch.allclose(classification_gradient(logits, weight, labels), expected, atol=1e-6)


def test_first_step_and_the_next(features):
    loss = bound(loss_weight=0.8, gradient_weight=3.0).eval()
    for indices in ([2, 7, 0], [3, 7, 9]):
        torch.manual_seed(5)
        drawn = loss.negatives.draw(LABELS[indices], 5)
        pulls = [gradients_by_autograd(vector, weight, LABELS[indices]) for vector, _, weight in features]
        expected = 0.0
        for kind, inputs, weight in (('features', (features[0][0], features[1][0]), 1), ('gradients', pulls, 3)):
            relation = loss.relations[kind]
            known = None if relation.normalizers[0] < 0 else relation.normalizers.tolist()
            expected += weight * contrast_by_hand(relation, *inputs, indices, drawn, known)
        torch.manual_seed(5)
        assert loss(*features, samples(indices)).item() == pytest.approx(0.8 * expected, rel=1e-4)


def test_directions_are_compared_without_being_made():
    torch.manual_seed(0)
    bank = torch.nn.functional.normalize(torch.randn(40, 16))
    embeddings = torch.nn.functional.normalize(torch.randn(5, 16))
    indices, drawn = torch.arange(5), torch.randint(0, 40, (5, 12))
    candidates = torch.cat([indices[:, None], drawn], 1)
    same = candidates[:, None] == indices[:, None]
    found = relation_cosines(embeddings, bank[indices], bank[candidates], same)
    for n in range(5):
        for j in range(5):
            for k in range(13):
                ours = unit(embeddings[n] - bank[j] + 1e-6)
                theirs = unit(bank[candidates[n, k]] - bank[j] + 1e-6)
                assert found[n, j, k].item() == pytest.approx(float(ours @ theirs), abs=2e-4)
    assert same.sum() >= 5


def test_relations_ignore_a_shift_of_all_embeddings():
    torch.manual_seed(0)
    embeddings, anchors, candidates = torch.randn(3, 4), torch.randn(2, 4), torch.randn(3, 6, 4)
    no = torch.zeros(3, 2, 6, dtype=torch.bool)
    moved = relation_cosines(embeddings + 2, anchors + 2, candidates + 2, no)
    assert torch.allclose(moved, relation_cosines(embeddings, anchors, candidates, no), atol=1e-4)


def test_banks_move_in_training_only(features):
    loss = bound()
    before = copy.deepcopy(loss.state_dict())
    loss.eval()(*features, samples([2, 7, 0]))
    assert torch.equal(
        loss.relations['features'].student_bank.embeddings, before['relations.features.student_bank.embeddings']
    )
    loss.train()(*features, samples([2, 7, 0]))
    for kind in ('features', 'gradients'):
        name = f'relations.{kind}.teacher_bank.embeddings'
        moved = (loss.state_dict()[name] != before[name]).any(1).nonzero().flatten()
        assert moved.tolist() == [0, 2, 7]


def test_a_resumed_loss_goes_on_the_same(features):
    loss = bound().train()
    loss(*features, samples([2, 7, 0]))
    resumed = bound(num_samples=None)
    resumed.load_state_dict(loss.state_dict(), strict=True)
    values = []
    for one in (loss, resumed.train()):
        torch.manual_seed(3)
        values.append(one(*features, samples([1, 7, 4])).item())
    assert values[0] == values[1]


def test_gradients(features):
    loss = bound()
    (vector, _, weight), theirs = features[0], [feature.requires_grad_() for feature in features[1]]
    vector, weight = vector.requires_grad_(), weight.requires_grad_()
    loss([vector, vector @ weight.T, weight], theirs, samples([2, 7, 0])).backward()
    assert vector.grad.abs().sum() > 0 and weight.grad.abs().sum() > 0
    assert all(feature.grad is None for feature in theirs)
    assert all(parameter.grad.abs().sum() > 0 for parameter in loss.parameters())


def test_ties_and_zeros_leave_finite_gradients(features):
    loss = bound()
    relation = loss.relations['features']
    with torch.no_grad():
        relation.teacher_bank.embeddings[2] = unit(relation.embed_student.bias)
        loss.relations['gradients'].embed_student.bias.zero_()
    zeros = [torch.zeros_like(feature, requires_grad=True) for feature in features[0]]
    loss(zeros, [feature.detach() for feature in features[1]], samples([2, 7, 0])).backward()
    assert all(feature.grad.isfinite().all() for feature in zeros)


def test_half_precision(features):
    loss = bound().eval()
    loss(*features, samples([2, 7, 0]))
    values = []
    for half in (False, True):
        torch.manual_seed(5)
        with torch.autocast('cpu', dtype=torch.bfloat16, enabled=half):
            inputs = [[x.bfloat16() if half else x.bfloat16().float() for x in network] for network in features]
            values.append(loss(*inputs, samples([2, 7, 0])).item())
    assert values[0] == pytest.approx(values[1], rel=1e-3)


def test_features_alone_and_the_end_of_the_term(features):
    alone = bound(gradient_weight=0)
    assert list(alone.relations) == ['features']
    loss = bound(stop_epoch=240)
    assert loss(*features, samples([2, 7, 0])) > 0
    MessageHub.get_current_instance().update_info('epoch', 240)
    assert loss(*features, samples([2, 7, 0])) == 0


def test_no_synchronization_with_the_device():
    """Nothing on the way of a step asks the device for a value."""
    functions = (
        crcd_loss.CRCDLoss.forward,
        relation_contrast.RelationContrast.forward,
        relation_contrast.relation_cosines,
        crcd_loss.classification_gradient,
        crd_loss.CRDLoss.forward,
        crd_loss.noise_contrast,
        memory_bank.OtherClasses.draw,
        memory_bank.MemoryBank.update,
        memory_bank.fix_normalizers,
    )
    for function in functions:
        source = inspect.getsource(function)
        for word in ('.item(', '.tolist(', '.cpu(', 'nonzero', 'float(', 'int(', '.any()', 'if self.normalizers'):
            assert word not in source, (function.__qualname__, word)


def test_one_step_of_a_distiller():
    model = small_distiller(dict(type='topkd.CRCDLoss', embedding=8, num_negatives=5))
    data = batch()
    model.losses['method'].prepare(type('Images', (list,), dict(labels=data['gt_label']))(range(8)))
    before = {name: value.detach().clone() for name, value in model.named_parameters() if value.requires_grad}
    data['sample_idx'] = torch.arange(8)
    data = model.data_preprocessor(data, training=True)
    losses = model.train()(**data, mode='loss')
    assert losses['gradient_ratio_method'] > 0
    sum(value for key, value in losses.items() if key.startswith('loss')).backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert all(not torch.equal(value, before[name]) for name, value in model.named_parameters() if name in before)


def test_refusals(features):
    with pytest.raises(
        ValueError, match='index of every image in the training set is needed, got data samples without sample_idx'
    ):
        bound()(*features, [DataSample().set_gt_label(0)] * 3)
    with pytest.raises(
        ValueError, match='CRCDLoss has banks of 12 images, the training set has 10: set its num_samples to 10'
    ):
        bound(num_samples=12)
    unprepared = CRCDLoss(num_samples=10)
    with pytest.raises(RuntimeError, match='CRCDLoss has not seen the two networks yet'):
        unprepared(*features, samples([2, 7, 0]))
    probe = Probe(*([row[:1] if number < 2 else row for number, row in enumerate(network)] for network in features))
    unprepared.bind(None, probe)
    with pytest.raises(RuntimeError, match='does not know the training set yet: call prepare'):
        unprepared(*features, samples([2, 7, 0]))
    with pytest.raises(ValueError, match=r'needs the input \(N, C\), the output \(N, K\) and the weight \(K, C\)'):
        CRCDLoss().bind(None, Probe([torch.zeros(1, 3)], [torch.zeros(1, 3)]))
    with pytest.raises(ValueError, match='must be positive and gradient_weight not negative, got 128, 0, 0.05 and 1.0'):
        CRCDLoss(num_negatives=0)
