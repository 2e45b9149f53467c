"""VGG: where it pools, and what it refuses."""

import pytest
import torch
import torch.nn.functional as F

from topkd.models.backbones import CIFARVGG


@pytest.mark.parametrize('num_pools, sizes', [(3, (32, 16, 8, 8)), (4, (32, 16, 8, 4))])
def test_pooling_stands_at_the_entry_of_a_layer(num_pools, sizes):
    model = CIFARVGG(8, num_pools, out_indices=(0, 1, 2, 3)).eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        outputs = model(images)
        stem = model.stem(images)
        first = F.relu(model.layer1.bn1(model.layer1.conv1(F.max_pool2d(stem, 2))))
    assert tuple(output.shape[-1] for output in outputs) == sizes
    torch.testing.assert_close(outputs[0], first)


@pytest.mark.parametrize('depth, convolutions', [(8, 5), (11, 8), (13, 10), (16, 13), (19, 16)])
def test_depth_counts_the_classifier_of_the_original(depth, convolutions):
    """The name counts three linear layers, as in the original network; here there is one, outside the backbone."""
    names = [name for name, _ in CIFARVGG(depth).named_parameters() if 'conv' in name and name.endswith('bias')]
    assert len(names) == convolutions == depth - 3


def test_arguments_are_checked():
    with pytest.raises(ValueError, match=r'depth of CIFARVGG must be one of \[8, 11, 13, 16, 19\], got 9'):
        CIFARVGG(9)
    with pytest.raises(ValueError, match='num_pools of CIFARVGG must be 3 or 4, got 5'):
        CIFARVGG(8, num_pools=5)
