"""Distillation processes: weights and stretching by hand, pathways written out, files that do not fit."""

import json
import math

import pytest
import torch
from map_losses import (
    assert_gradient_is_the_students,
    assert_half_precision_is_close,
    assert_one_step_trains,
    assert_zeros_leave_finite_gradients,
)
from mmengine.logging import MessageHub

from topkd.functional.distpro import pathway_weights, process_at
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.distpro_loss import DistProLoss


@pytest.fixture
def features():
    torch.manual_seed(0)
    student = [torch.randn(3, 4, 8, 8), torch.randn(3, 6, 4, 4)]
    teacher = [torch.randn(3, 5, 8, 8), torch.randn(3, 7, 2, 2)]
    return student, teacher


def bound(features, **arguments):
    torch.manual_seed(1)
    loss = DistProLoss(**dict(dict(student_tap=['a', 'b']), **arguments))
    loss.bind(None, Probe(*([level[:1] for level in levels] for levels in features)))
    return loss.eval()


def context_by_hand(found, target):
    value, weight, total = (found - target).square().mean().item(), 1.0, 1.0
    for cells in (4, 2, 1):
        if cells < found.shape[2]:
            n, c, h, w = found.shape
            small = [maps.reshape(n, c, cells, h // cells, cells, w // cells).mean((3, 5)) for maps in (found, target)]
            weight /= 2
            total += weight
            value += weight * (small[0] - small[1]).square().mean().item()
    return value / total


def test_value(features):
    student, teacher = features
    loss = bound(features, loss_weight=2.0)
    assert loss.pairs == [(0, 0), (0, 1), (1, 1)]
    expected = 0.0
    for pathway, (theirs, ours) in zip(loss.pathways, loss.pairs):
        x = pathway.before[1](pathway.before[0](student[ours])).clamp(min=0)
        x = x * pathway.attention(x)
        x = pathway.between[1](pathway.between[0](x)).clamp(min=0)
        size = teacher[theirs].shape[2]
        if size > x.shape[2]:
            x = x.repeat_interleave(size // x.shape[2], 2).repeat_interleave(size // x.shape[3], 3)
        x = x[:, :, :: x.shape[2] // size, :: x.shape[3] // size]
        expected += context_by_hand(pathway.after[1](pathway.after[0](x)), teacher[theirs])
    # e / (e + 3 e) times 3 pathways
    assert loss(student, teacher).item() == pytest.approx(2 * expected * 3 / 4, rel=1e-4)
    search = bound(features, loss_weight=2.0, search=True)
    assert search(student, teacher).item() == pytest.approx(2 * expected / 3, rel=1e-4)


def test_weights():
    alphas = [0.5, -1.0, 2.0]
    powers = [math.exp(alpha) for alpha in alphas]
    searching = pathway_weights(torch.tensor(alphas), searching=True).tolist()
    assert searching == pytest.approx([power / sum(powers) for power in powers], rel=1e-5)
    trained = pathway_weights(torch.tensor(alphas), searching=False).tolist()
    assert trained == pytest.approx([3 * power / (math.e + sum(powers)) for power in powers], rel=1e-5)


def test_a_process_is_stretched():
    process = torch.tensor([[0.0, 1.0], [2.0, 1.0], [6.0, 4.0]])
    assert torch.equal(process_at(process, 0, 240), process[0]) and torch.equal(
        process_at(process, 239, 240), process[2]
    )
    assert [process_at(process, epoch, 3).tolist() for epoch in range(3)] == process.tolist()
    assert process_at(process, 1, 5).tolist() == [1.0, 1.0] and process_at(process, 3, 5).tolist() == [4.0, 2.5]
    assert process_at(process[:1], 5, 10).tolist() == [0.0, 1.0] and process_at(process, 9, 1).tolist() == [6.0, 4.0]


def test_a_file_sets_the_weights_of_every_epoch(features, tmp_path):
    path = tmp_path / 'process.json'
    path.write_text(json.dumps(dict(pathways=[[0, 0], [0, 1], [1, 1]], alphas=[[9.0, -9.0, -9.0], [-9.0, -9.0, 9.0]])))
    loss = bound(features, process=str(path))
    hub = MessageHub.get_current_instance()
    hub.update_info('max_epochs', 10)
    for epoch, pair in ((0, 0), (9, 2)):
        hub.update_info('epoch', epoch)
        alphas = torch.full((3,), -9.0)
        alphas[pair] = 9.0
        alone = bound(features)
        alone.alphas.copy_(alphas)
        assert loss(*features).item() == pytest.approx(alone(*features).item(), rel=1e-5)
    assert 'process' not in loss.state_dict() and 'alphas' in loss.state_dict()


def test_gradients_and_half_precision(features):
    loss = bound(features)
    assert_gradient_is_the_students(loss, *features)
    assert all(parameter.grad is not None for parameter in loss.parameters())
    assert 'alphas' not in dict(loss.named_parameters())
    assert_zeros_leave_finite_gradients(loss, *features)
    assert_half_precision_is_close(loss, *features, tolerance=0.05)


def test_one_step():
    model = assert_one_step_trains(dict(type='topkd.DistProLoss'), learns=True)
    assert len(model.losses.method.pathways) == 10


def test_refusals(features, tmp_path):
    with pytest.raises(
        FileNotFoundError, match="there is no process '.*none.json': search one with configs/methods/search"
    ):
        bound(features, process=str(tmp_path / 'none.json'))
    (tmp_path / 'other.json').write_text(json.dumps(dict(pathways=[[0, 0]], alphas=[[1.0]])))
    with pytest.raises(
        ValueError, match='must hold a process of 3 pathways, got 1: give the file of a search with these taps'
    ):
        bound(features, process=str(tmp_path / 'other.json'))
    with pytest.raises(
        ValueError, match="a search makes a process, got search=True and the process 'x': leave one out"
    ):
        DistProLoss(process='x', search=True)
    with pytest.raises(ValueError, match='in pairs, got 2 of the student and 1 of the teacher'):
        bound((features[0], features[1][:1]))
    with pytest.raises(RuntimeError, match='has not seen the two networks yet'):
        DistProLoss()(*features)
