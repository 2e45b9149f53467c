"""Features by module path, for one forward only."""

import pytest
import small
import torch
from torch import nn

from topkd.models.taps.tap import find_module, parse_tap, reach, tap
from topkd.models.taps.tap_paths import locate
from topkd.models.taps.tappable import explained


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
    with pytest.raises(ValueError, match="ran more than once in one forward .* read its last run by ':last'"):
        with tap(net, ['0']):
            net(torch.rand(1, 2))
    with tap(net, ['0:last', '0(0):last']) as features:
        out = net(torch.ones(1, 2))
    assert torch.equal(features['0:last'], out)
    assert torch.equal(features['0(0):last'], net[0](torch.ones(1, 2)))


def test_what_an_in_place_module_is_given_is_copied():
    net = Net()
    inputs = torch.rand(4, 2)
    with tap(net, ['branch.relu(0)', 'branch.relu']) as features:
        net(inputs)
    expected = net.first(inputs)
    assert torch.equal(features['branch.relu(0)'], expected) and expected.min() < 0
    assert torch.equal(features['branch.relu'], expected.relu())
    features['branch.relu(0)'].sum().backward()
    assert torch.allclose(net.first.bias.grad, torch.full((3,), 4.0))


class Nested(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 2), Pair())])
        self.last = nn.Sequential(nn.Linear(2, 3))

    def forward(self, x):
        x = self.layers[0](x)
        first, second = self.layers[1](x)
        return dict(logits=self.last(first), deep=second)


def test_children_of_a_list_in_both_ways_of_writing():
    net = Nested()
    paths = ['layers.0', 'layers[0]', 'layers[-2]', 'layers[1].0', 'layers[1][1][0]', 'layers[1].0(0)']
    with tap(net, paths) as features:
        net(torch.rand(1, 2))
    assert features['layers.0'] is features['layers[0]'] is features['layers[-2]'] is features['layers[1].0(0)']
    assert features['layers[1].0'] is features['layers[1][1][0]']
    with pytest.raises(KeyError, match="tap 'layers\\[2\\]': ModuleList has no module '2'; it has: 0, 1"):
        locate(net, 'layers[2]')


def test_number_of_a_module_in_place_of_an_output_and_the_other_way_round():
    net = Nested()
    with pytest.raises(TypeError, match="the module returned a Tensor; its module number 0 is 'last.0'"):
        with tap(net, ['last[0]']):
            net(torch.rand(1, 2))


def test_error_names_the_network_and_what_can_be_tapped():
    net = small.build(small.classifier()).eval()
    image = torch.zeros(1, 3, 16, 16)
    with pytest.raises(KeyError) as error, explained('student', net, image):
        reach(net, image, ['backbone.layer4'])
    words = str(error.value)
    assert words.startswith("student: tap 'backbone.layer4': CIFARResNet has no module 'layer4'; it has: stem, ")
    assert "did you mean 'backbone.layer3' or 'backbone.layer" in words
    assert 'backbone.layer1 (1, 8, 16, 16)' in words and 'backbone.layer3 (1, 32, 4, 4)' in words
    with pytest.raises(KeyError, match="no module '0'; it has: none; if it returns several tensors, number 0 is 'neck"):
        reach(net, image, ['neck.gap.0'])


def test_distiller_says_whose_tap_it_is():
    for role, name in (('student', 'student'), ('teacher', "teacher 'small'")):
        losses = dict(kd={'type': 'KDLoss', f'{role}_tap': 'head.fx'})
        with pytest.raises(KeyError, match=f"{name}: tap 'head.fx': .* did you mean 'head.fc'"):
            small.build(small.distiller(losses=losses))


def test_tokens():
    tokens = torch.arange(2 * 17 * 3.0).view(2, 17, 3)
    net = nn.Sequential(nn.Identity())
    with tap(net, ['0:cls', '0:mean', '0:map']) as features:
        net(tokens)
    assert torch.equal(features['0:cls'], tokens[:, 0])
    assert torch.allclose(features['0:mean'], tokens[:, 1:].mean(1))
    assert torch.equal(features['0:map'][1, 2], tokens[1, 1:, 2].view(4, 4))


@pytest.mark.parametrize(
    'path, shape, message',
    [
        ('0:cls', (2, 16, 3), "all 16 tokens are those of patches, there is no class token: take ':mean'"),
        ('0:map', (2, 48, 3), '48 tokens are no square grid of patches and at most 8 tokens before it'),
        ('0:cls', (2, 3), "tap '0:cls' reads tokens \\(N, L, C\\), got \\(2, 3\\): leave out ':cls'"),
        ('0:nhwc', (2, 3), "tap '0:nhwc' reads maps \\(N, H, W, C\\), got \\(2, 3\\)"),
        ('0:class', (2, 17, 3), "tap '0:class' ends with ':class': end it with one of :cls, :mean, :map, :nhwc"),
    ],
)
def test_wrong_views(path, shape, message):
    net = nn.Sequential(nn.Identity())
    with pytest.raises((TypeError, ValueError), match=message), tap(net, [path]):
        net(torch.zeros(shape))
