"""Parts of networks start from weights of their own, or not at all."""

import pytest
import torch
from mmengine.model import BaseModule
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import nn

from topkd.utils.checkpoint import use_safe_loader
from topkd.utils.pretrained import use_checked_initialization


class Block(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(width, width, 3), nn.BatchNorm2d(width)


class Network(BaseModule):
    """A few blocks, and a classifier that may be missing as in a backbone."""

    def __init__(self, blocks=3, width=4, classes=None, init_cfg=None):
        super().__init__(init_cfg)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(blocks)))
        if classes is not None:
            self.fc = nn.Linear(width, classes)


@pytest.fixture(autouse=True)
def checked():
    """Use this package's initialization, and MMEngine's again afterwards."""
    before = WEIGHT_INITIALIZERS.get('Pretrained')
    use_safe_loader()
    use_checked_initialization()
    yield
    WEIGHT_INITIALIZERS.register_module(name='Pretrained', module=before, force=True)


@pytest.fixture
def start(tmp_path):
    """Return a function that initializes a network from a checkpoint of other weights."""

    def start(network: dict, weights: dict, **options) -> Network:
        path = str(tmp_path / 'weights.pth')
        torch.save(dict(state_dict=weights), path)
        made = Network(**network, init_cfg=dict(type='Pretrained', checkpoint=path, **options))
        made.init_weights()
        return made

    return start


def inside(prefix: str, weights: dict) -> dict:
    return {f'{prefix}{key}': value for key, value in weights.items()}


def test_a_backbone_starts_from_a_whole_network(start):
    source = Network(classes=10).state_dict()
    made = start(dict(), source).state_dict()
    assert made and all(torch.equal(value, source[key]) for key, value in made.items())
    made = start(dict(), {**inside('backbone.', Network().state_dict()), 'head.w': torch.ones(1)}, prefix='backbone')
    assert len(made.state_dict()) == 21


def test_another_number_of_classes_is_no_other_network(start):
    source = Network(blocks=9, classes=10).state_dict()
    made = start(dict(blocks=9, classes=5), source).state_dict()
    assert all(torch.equal(value, source[key]) for key, value in made.items() if key.startswith('blocks'))


@pytest.mark.parametrize(
    'network, weights, message',
    [
        (dict(), Network(blocks=5).state_dict(), r'does not fit Network \(8 unexpected: blocks.3.conv.weight'),
        (dict(blocks=5), Network().state_dict(), r'does not fit Network \(8 missing: blocks.3.conv.weight'),
        (dict(), Network(width=6).state_dict(), r'12 of another shape: blocks.0.conv.weight \(6, 6, 3, 3\) instead of'),
        (dict(), inside('backbone.', Network().state_dict()), "missing.*: set prefix='backbone.' in that init_cfg"),
        (dict(), dict(a=torch.ones(1)), 'name a checkpoint of this very network'),
        (dict(), {k: v * float('nan') for k, v in Network().state_dict().items()}, 'must be finite, got nan or inf in'),
    ],
)
def test_other_networks_are_refused(start, network, weights, message):
    with pytest.raises(ValueError, match=message):
        start(network, weights)


def test_a_prefix_that_is_not_there(start):
    with pytest.raises(
        ValueError, match=r"init_cfg: 'neck' in checkpoint '.*weights.pth' does not fit Network \(12 miss"
    ):
        start(dict(), Network().state_dict(), prefix='neck')
