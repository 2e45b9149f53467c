"""Weights under other beginnings of names find their places, or are refused."""

import pytest
import small
import torch
import torchvision
from mmengine.registry import MODELS

from topkd.utils.prefixes import Renaming, renamed


def state(seed=0):
    torch.manual_seed(seed)
    return MODELS.build(small.classifier()).state_dict()


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def test_one_prefix_for_all():
    ours = state()
    theirs = {f'net.encoder.{key}': value for key, value in ours.items()}
    found, used = renamed(theirs, state(1))
    assert equal(found, ours) and used == [Renaming('net.encoder.', '', len(ours))]
    assert equal(renamed(theirs, ours, strip='net.encoder')[0], ours)
    stripped = {key.removeprefix('backbone.'): value for key, value in ours.items() if key.startswith('backbone.')}
    wanted = {key: value for key, value in ours.items() if key.startswith('backbone.')}
    assert equal(renamed(stripped, wanted, add='backbone.')[0], wanted)


def test_parts_with_prefixes_of_their_own():
    theirs = torchvision.models.resnet18(num_classes=7).state_dict()
    ours = MODELS.build(
        dict(
            type='ImageClassifier',
            backbone=dict(type='ResNet', depth=18),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(type='LinearClsHead', num_classes=7, in_channels=512),
        )
    ).state_dict()
    found, used = renamed(theirs, ours)
    assert torch.equal(found['head.fc.bias'], theirs['fc.bias'])
    assert torch.equal(found['backbone.layer4.1.bn2.running_var'], theirs['layer4.1.bn2.running_var'])
    assert used == [Renaming('', 'backbone.', len(theirs) - 2), Renaming('', 'head.', 2)]


def test_counters_that_old_files_lack_start_at_zero():
    ours = state()
    theirs = {f'm.{key}': value for key, value in ours.items() if not key.endswith('num_batches_tracked')}
    found, _ = renamed(theirs, ours)
    assert found.keys() == ours.keys() and found['backbone.stem.bn.num_batches_tracked'] == 0


@pytest.mark.parametrize(
    'change, message',
    [
        (lambda weights: weights.popitem(), '1 missing: '),
        (lambda weights: weights.update(extra=torch.zeros(3)), '1 unexpected: extra'),
        (
            lambda weights: weights.update({'n.head.fc.bias': torch.zeros(3)}),
            '1 missing: head.fc.bias; 1 unexpected: n.',
        ),
    ],
)
def test_weights_that_do_not_fit(change, message):
    theirs = {f'n.{key}': value for key, value in state().items()}
    change(theirs)
    with pytest.raises(ValueError, match=f'the weights do not fit the network \\({message}'):
        renamed(theirs, state())


def test_wrong_prefix():
    theirs = {f'n.{key}': value for key, value in state().items()}
    with pytest.raises(ValueError, match='name the config of the network that they belong to, or other prefixes'):
        renamed(theirs, state(), strip='m.')
