"""ResNet against the formula of its blocks, written with functional calls in float64."""

import pytest
import torch
import torch.nn.functional as F

from topkd.models.backbones import CIFARResNet


def reference(state, images, blocks, training):
    """Compute stem and layers of an option-B ResNet from its state dict alone."""

    def conv_bn(x, conv, bn, stride=1, padding=1):
        x = F.conv2d(x, state[f'{conv}.weight'], None, stride, padding)
        mean, var = (None, None) if training else (state[f'{bn}.running_mean'], state[f'{bn}.running_var'])
        return F.batch_norm(x, mean, var, state[f'{bn}.weight'], state[f'{bn}.bias'], training)

    x = F.relu(conv_bn(images, 'stem.conv', 'stem.bn'))
    features = [x]
    for layer, first_stride in ((1, 1), (2, 2), (3, 2)):
        for index in range(blocks):
            name, stride = f'layer{layer}.{index}', first_stride if index == 0 else 1
            inner = F.relu(conv_bn(x, f'{name}.conv1', f'{name}.bn1', stride))
            inner = conv_bn(inner, f'{name}.conv2', f'{name}.bn2')
            if f'{name}.downsample.0.weight' in state:
                x = conv_bn(x, f'{name}.downsample.0', f'{name}.downsample.1', stride, padding=0)
            x = F.relu(inner + x)
        features.append(x)
    return features


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('depth, channels', [(20, (16, 16, 32, 64)), (8, (32, 64, 128, 256)), (14, (4, 6, 6, 8))])
def test_forward_is_the_formula(depth, channels, training):
    torch.manual_seed(0)
    model = CIFARResNet(depth, channels, out_indices=(0, 1, 2)).double().train(training)
    for name, buffer in model.named_buffers():
        if name.endswith(('mean', 'var')):
            buffer.uniform_(0.5, 1.5)
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    images = torch.randn(3, 3, 16, 16, dtype=torch.float64)
    stem, *expected = reference(state, images, (depth - 2) // 6, training)
    with torch.no_grad():
        outputs = model(images)
        torch.testing.assert_close(model.stem(images), stem)
    for output, feature in zip(outputs, expected):
        torch.testing.assert_close(output, feature)


def test_shortcuts_stand_where_the_shape_changes():
    assert [layer[0].downsample is None for layer in (CIFARResNet(20).layer1, CIFARResNet(20).layer2)] == [True, False]
    wide = CIFARResNet(8, (32, 64, 128, 256))
    assert wide.layer1[0].downsample[0].stride == (1, 1) and wide.layer3[0].downsample[0].stride == (2, 2)


@pytest.mark.parametrize('depth', [2, 9, 18, 52])
def test_depth_must_fit(depth):
    with pytest.raises(ValueError, match=rf'depth of CIFARResNet must be 6n \+ 2 .*, got {depth}'):
        CIFARResNet(depth)


def test_four_widths():
    with pytest.raises(ValueError, match=r'must be four widths \(stem and three groups\), got \(16, 32, 64\)'):
        CIFARResNet(20, (16, 32, 64))
