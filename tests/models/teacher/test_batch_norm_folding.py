"""Folding batch normalizations leaves every tap's values, and every tapped pair alone."""

import copy

import pytest
import torch
from small import build, classifier
from torch import nn

from topkd.models.taps.tap import reach
from topkd.models.teacher.batch_norm_folding import find_pairs, fold_batch_norms, shared_copy

TAPS = ('backbone.layer1', 'backbone.layer2.0.bn2', 'backbone.layer3.0.relu(0)', 'neck[0]', 'head.fc')


def with_statistics(network: nn.Module) -> nn.Module:
    """Give every batch normalization statistics and factors that are not those of the start."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var):
                tensor.uniform_(0.5, 2, generator=generator)
            for tensor in (module.bias.data, module.running_mean):
                tensor.normal_(generator=generator)
    return network.eval()


@pytest.fixture
def network() -> nn.Module:
    return with_statistics(build(classifier(8)))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_features_at_taps_keep_their_values(network, images):
    folded = shared_copy(network)
    assert fold_batch_norms(folded, images[:1], TAPS) == 9 and norms(folded) == 0
    expected, found = reach(network, images, TAPS), reach(folded, images, TAPS)
    for path in TAPS:
        torch.testing.assert_close(
            found[path], expected[path], rtol=1e-5, atol=1e-5 * expected[path].abs().max().item()
        )


def test_the_copy_shares_all_but_the_weights_of_convolutions(network, images):
    state = copy.deepcopy(network.state_dict())
    folded = shared_copy(network)
    fold_batch_norms(folded, images[:1], TAPS)
    assert folded.head.fc.weight is network.head.fc.weight
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in state.items())
    calls = []
    handle = network.backbone.layer1.register_forward_hook(lambda *args: calls.append(1))
    folded.extract_feat(images)
    handle.remove()
    folded.extract_feat(images)
    assert calls == [1]


def test_hooks_are_not_called_and_stay(network, images):
    calls = []
    network.backbone.register_forward_hook(lambda *args: calls.append('after'))
    network.backbone.register_forward_pre_hook(lambda *args: calls.append('before'))
    fold_batch_norms(network, images[:1], TAPS)
    assert calls == []
    network.extract_feat(images)
    assert calls == ['before', 'after']


@pytest.mark.parametrize(
    'tap', ['backbone.stem.conv', 'backbone.layer1.0.conv1', 'backbone.layer1.0.bn1(0)', 'backbone.layer1.0.bn1.weight']
)
def test_a_tapped_pair_is_left_unfolded(network, images, tap):
    folded = shared_copy(network)
    assert fold_batch_norms(folded, images[:1], [*TAPS, tap]) == 8 and norms(folded) == 1
    torch.testing.assert_close(reach(folded, images, [tap]), reach(network, images, [tap]), rtol=1e-5, atol=1e-5)


class Branches(nn.Module):
    """A convolution whose output has another reader than its normalization."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.bn, self.bn2, self.conv2 = (
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1),
        )  # fmt: skip
        self.kind = 'functional'
        self.out = nn.Identity()

    def forward(self, x, mode='tensor'):
        y = self.conv(x)
        if self.kind == 'functional':
            return self.out(self.bn(y) + y)
        if self.kind == 'two norms':
            return self.out(self.bn(y) + self.bn2(y))
        return self.out(self.bn(self.conv2(y)) + self.bn(self.conv2(2 * y)))


@pytest.mark.parametrize('kind', ['functional', 'two norms', 'twice'])
def test_a_pair_that_must_not_be_folded_is_left_alone(kind, images):
    network = with_statistics(Branches())
    network.kind = kind
    expected = reach(network, images, ['out'])['out']
    assert fold_batch_norms(network, images[:1], ['out']) == 0
    assert isinstance(network.bn, nn.BatchNorm2d) and torch.equal(reach(network, images, ['out'])['out'], expected)


def test_a_normalization_without_statistics_is_no_pair(images):
    network = nn.ModuleDict(
        dict(backbone=nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)))
    )
    network.extract_feat = network['backbone'].forward
    assert find_pairs(network.eval(), images[:1], ['backbone.1'])[0] == []
