"""Features by module path, for one forward only."""

import pytest
import torch
from torch import nn

from topkd.models.tap import find_module, parse_tap, tap


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.branch = nn.Module()
        self.branch.relu = nn.ReLU(inplace=True)
        self.pair = Pair()

    def forward(self, x, use_branch=True):
        x = self.first(x)
        if use_branch:
            x = self.branch.relu(x)
        return self.pair(x)


class Pair(nn.Module):
    def forward(self, x):
        return x + 1, [x]


def test_tapped_tensor_is_the_modules_output_in_the_graph():
    net = Net()
    inputs = torch.rand(4, 2)
    with tap(net, ['branch.relu', 'pair[0]']) as features:
        out = net(inputs)[0]
    assert torch.equal(features['branch.relu'], net.first(inputs).relu())
    assert features['pair[0]'] is out
    features['branch.relu'].sum().backward()
    assert net.first.weight.grad is not None


def test_no_hook_is_left_even_after_an_error():
    net = Net()
    with pytest.raises(RuntimeError):
        with tap(net, ['first']):
            net(torch.rand(4, 5))
    assert not net.first._forward_hooks


def test_parse():
    assert parse_tap('neck[2]') == ('neck', 2)
    assert parse_tap('backbone.layer1') == ('backbone.layer1', -1)
    with pytest.raises(
        ValueError, match="a tap is a module path such as 'backbone.layer1' or 'neck\\[0\\]', got 'a b'"
    ):
        parse_tap('a b')


def test_unknown_module_lists_its_siblings():
    with pytest.raises(KeyError, match="tap 'branch.norm': Module has no module 'norm'; it has: relu"):
        find_module(Net(), 'branch.norm')


@pytest.mark.parametrize(
    'path, error, message',
    [
        (
            'pair',
            TypeError,
            r"must be one tensor, got a tuple of 2: name one of its outputs, 'pair\[0\]' to 'pair\[1\]'",
        ),
        ('pair[1]', TypeError, "tap 'pair\\[1\\]' names no tensor: the module returned a tuple of 2"),
        ('first', ValueError, "tap 'first' was overwritten by a later in-place operation"),
    ],
)
def test_what_cannot_be_tapped(path, error, message):
    net = Net()
    with pytest.raises(error, match=message):
        with tap(net, [path]):
            net(torch.rand(4, 2))


def test_tap_that_is_not_reached():
    net = Net()
    with pytest.raises(ValueError, match="tap 'branch.relu' was not reached by the forward pass of Net"):
        with tap(net, ['branch.relu']):
            net(torch.rand(4, 2), use_branch=False)


def test_module_that_runs_twice():
    net = nn.Sequential(nn.Linear(2, 2))
    net.append(net[0])
    with pytest.raises(ValueError, match='ran more than once in one forward'):
        with tap(net, ['0']):
            net(torch.rand(1, 2))
