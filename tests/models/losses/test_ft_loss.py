"""Factors against loops, the two stages, and the file of a first run."""

import math

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

from topkd.functional.ft import factor_distance
from topkd.models.losses.distillation_loss import Probe
from topkd.models.losses.ft_loss import FTLoss


@pytest.fixture(autouse=True)
def epoch():
    """Return a function that sets the epoch, which starts and ends as 0."""
    hub = MessageHub.get_current_instance()
    hub.update_info('epoch', 0)
    yield lambda value: hub.update_info('epoch', value)
    hub.update_info('epoch', 0)


@pytest.fixture
def maps():
    torch.manual_seed(0)
    return torch.randn(3, 4, 4, 4), torch.randn(3, 6, 4, 4)


def bound(student, teacher, **arguments):
    torch.manual_seed(0)
    loss = FTLoss(**arguments)
    loss.bind(None, Probe(student[:1], teacher[:1]))
    return loss


def by_hand(student, teacher):
    total = 0.0
    for s, t in zip(student, teacher):
        rows = []
        for image in (s, t):
            energy = [sum(value**2 for value in column) / len(column) for column in image.flatten(1).t().tolist()]
            rows.append([value / math.sqrt(sum(other**2 for other in energy)) for value in energy])
        total += sum(abs(a - b) for a, b in zip(*rows))
    return total / (len(student) * student.shape[2] * student.shape[3])


def test_distance_of_factors(maps):
    assert factor_distance(*maps).item() == pytest.approx(by_hand(*maps), rel=1e-5)
    assert factor_distance(maps[0], 4 * maps[0].flip(1)).item() == pytest.approx(0, abs=1e-7)
    large = maps[0].repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert factor_distance(large, maps[1]).item() == pytest.approx(by_hand(*maps), rel=1e-5)


def test_first_stage_is_the_reconstruction_and_the_second_the_distance(maps, epoch):
    student, teacher = maps
    loss = bound(student, teacher, paraphraser_epochs=2, loss_weight=200.0)
    epoch(1)
    reconstructed = loss.paraphraser.decoder(loss.paraphraser.encoder(teacher))
    expected = sum((a - b) ** 2 for a, b in zip(reconstructed.flatten().tolist(), teacher.flatten().tolist()))
    assert loss(student, teacher).item() == pytest.approx(expected / teacher.numel(), rel=1e-5)
    epoch(2)
    factors = loss.paraphraser.encoder(teacher)
    assert factors.shape == (3, 3, 4, 4)
    expected = 200 * by_hand(loss.translator(student).detach(), factors.detach())
    assert loss(student, teacher).item() == pytest.approx(expected, rel=1e-4)


def test_paraphraser_learns_first_and_the_student_afterwards(epoch):
    model = small_distiller(dict(type='topkd.FTLoss', paraphraser_epochs=1))
    loss = model.losses['method']
    before = {name: value.clone() for name, value in loss.state_dict().items()}
    step(model)
    after = loss.state_dict()
    changed = {name.split('.')[0] for name in before if not torch.equal(before[name], after[name])}
    assert 'paraphraser' in changed and 'encoder' not in changed
    weights = [name for name, _ in loss.translator.named_parameters()]
    assert all(torch.equal(before[f'translator.{name}'], after[f'translator.{name}']) for name in weights)

    step(model)  # the last step of the first stage hands the paraphraser over
    assert not torch.equal(before['encoder.0.weight'], loss.encoder[0].weight)
    epoch(1)
    frozen = {name: value.clone() for name, value in loss.encoder.state_dict().items()}
    translator = loss.translator[0].weight.clone()
    step(model)
    assert not torch.equal(translator, loss.translator[0].weight)
    assert all(torch.equal(value, frozen[name]) for name, value in loss.encoder.state_dict().items())


def test_every_learned_parameter_has_a_gradient_in_both_stages(maps, epoch):
    loss = bound(*maps, paraphraser_epochs=1)
    for number in (0, 1):
        epoch(number)
        loss.zero_grad()
        loss(*maps).backward()
        assert all(weight.grad is not None for weight in loss.parameters() if weight.requires_grad)
        assert not any(weight.requires_grad for weight in loss.encoder.parameters())


def test_weight_decay_does_not_reach_what_the_student_learns_from(maps, epoch):
    loss = bound(*maps, paraphraser_epochs=1)
    epoch(1)
    before = loss.encoder[0].weight.clone()
    optimizer = torch.optim.SGD(loss.parameters(), lr=0.1, weight_decay=0.5)
    loss(*maps).backward()
    optimizer.step()
    assert torch.equal(loss.encoder[0].weight, before)


def test_file_of_a_first_run(maps, tmp_path):
    student, teacher = maps
    first = bound(student, teacher, paraphraser_epochs=1)
    path = str(tmp_path / 'epoch_30.pth')
    torch.save({'state_dict': {f'losses.ft.{key}': value for key, value in first.state_dict().items()}}, path)
    torch.manual_seed(5)
    second = FTLoss(paraphraser=path)
    second.bind(None, Probe(student[:1], teacher[:1]))
    assert torch.equal(second.encoder(teacher), first.paraphraser.encoder(teacher))
    expected = factor_distance(second.translator(student), first.paraphraser.encoder(teacher))
    assert second(student, teacher).item() == pytest.approx(expected.item(), rel=1e-5)
    assert second.paraphraser is None
    with pytest.raises(ValueError, match='must hold a paraphraser of a map with 5 channels, got 6 matching weights'):
        FTLoss(paraphraser=path).bind(None, Probe(student[:1], teacher[:1, :5]))


def test_gradients(maps, epoch):
    loss = bound(*maps, paraphraser_epochs=1)
    epoch(1)
    assert_gradient_is_the_students(loss, [maps[0]], [maps[1]])
    assert_zeros_leave_finite_gradients(loss, [maps[0]], [maps[1]])


def test_half_precision(maps, epoch):
    loss = bound(*maps, paraphraser_epochs=1)
    assert_half_precision_is_close(loss, [maps[0]], [maps[1]])
    epoch(1)
    assert_half_precision_is_close(loss, [maps[0]], [maps[1]])


def test_refusals():
    with pytest.raises(
        ValueError, match='must be trained first, got paraphraser_epochs 0 and no file: give one of them'
    ):
        FTLoss(paraphraser_epochs=0)
    with pytest.raises(ValueError, match='rate of FTLoss must be positive, got 0'):
        FTLoss(rate=0)
    with pytest.raises(RuntimeError, match='FTLoss has not seen the two networks yet'):
        FTLoss()(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))
    with pytest.raises(ValueError, match='FTLoss compares one map of each network, got 2: name one tap'):
        FTLoss(student_tap=['a', 'b']).bind(None, Probe([torch.zeros(1, 1, 2, 2)] * 2, [torch.zeros(1, 1, 2, 2)] * 2))
