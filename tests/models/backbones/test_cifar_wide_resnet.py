"""Wide ResNet against the formula of its blocks, written with functional calls in float64."""

import pytest
import torch
import torch.nn.functional as F

from topkd.models.backbones import CIFARWideResNet


def reference(state, images, blocks, training):
    """Compute stem, layers and final output of a pre-activation network from its state dict alone."""

    def activated(x, bn):
        mean, var = (None, None) if training else (state[f'{bn}.running_mean'], state[f'{bn}.running_var'])
        return F.relu(F.batch_norm(x, mean, var, state[f'{bn}.weight'], state[f'{bn}.bias'], training))

    x = F.conv2d(images, state['stem.weight'], padding=1)
    features = [x]
    for layer, first_stride in ((1, 1), (2, 2), (3, 2)):
        for index in range(blocks):
            name, stride = f'layer{layer}.{index}', first_stride if index == 0 else 1
            inner = activated(x, f'{name}.bn1')
            if f'{name}.shortcut.weight' in state:
                x = F.conv2d(inner, state[f'{name}.shortcut.weight'], stride=stride)
            inner = F.conv2d(inner, state[f'{name}.conv1.weight'], stride=stride, padding=1)
            x = x + F.conv2d(activated(inner, f'{name}.bn2'), state[f'{name}.conv2.weight'], padding=1)
        features.append(x)
    return features, activated(x, 'final.bn')


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('depth, widen_factor', [(16, 2), (16, 1), (22, 1)])
def test_forward_is_the_formula(depth, widen_factor, training):
    torch.manual_seed(0)
    model = CIFARWideResNet(depth, widen_factor, out_indices=(0, 1, 2)).double().train(training)
    for name, buffer in model.named_buffers():
        if name.endswith(('mean', 'var')):
            buffer.uniform_(0.5, 1.5)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    images = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    (stem, first, second, _), final = reference(state, images, (depth - 4) // 6, training)
    with torch.no_grad():
        outputs = model(images)
        torch.testing.assert_close(model.stem(images), stem)
    for output, feature in zip(outputs, (first, second, final)):
        torch.testing.assert_close(output, feature)


def test_first_group_needs_a_shortcut_only_where_it_widens():
    assert CIFARWideResNet(16, 1).layer1[0].shortcut is None
    assert CIFARWideResNet(16, 2).layer1[0].shortcut.stride == (1, 1)


@pytest.mark.parametrize('depth', [4, 20, 41])
def test_depth_must_fit(depth):
    with pytest.raises(ValueError, match=rf'depth of CIFARWideResNet must be 6n \+ 4 .*, got {depth}'):
        CIFARWideResNet(depth)
