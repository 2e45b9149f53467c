"""A frozen network moves with its parent and is otherwise invisible."""

import copy

import torch
from torch import nn

from topkd.models import Frozen


def parent() -> nn.Module:
    module = nn.Module()
    module.own = nn.Linear(2, 2)
    module.frozen = Frozen(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))
    return module


def test_parameters_and_state_hold_the_own_layer_only():
    module = parent()
    assert [name for name, _ in module.named_parameters()] == ['own.weight', 'own.bias']
    assert list(module.state_dict()) == ['own.weight', 'own.bias']


def test_train_leaves_it_in_eval_and_without_gradient():
    module = parent().train()
    assert not module.frozen.training and not any(child.training for child in module.frozen.module.modules())
    assert not any(parameter.requires_grad for parameter in module.frozen.module.parameters())


def test_it_follows_moves_of_dtype_and_device():
    module = parent().double()
    assert module.frozen.module[0].weight.dtype == torch.float64
    module.to('meta')
    assert module.frozen.module[0].weight.device.type == 'meta'


def test_deepcopy_shares_it():
    module = parent()
    assert copy.deepcopy(module).frozen is module.frozen


def test_call_reaches_the_network():
    module = parent()
    inputs = torch.rand(4, 2)
    assert torch.equal(module.frozen(inputs), module.frozen.module(inputs))
