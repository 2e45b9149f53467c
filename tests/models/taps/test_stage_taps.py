"""The taps of every network lead to what their names say, without a change of its weights' names or its output."""

import copy

import pytest
import torch
from mmengine.registry import MODELS
from mmpretrain.models.utils import channel_shuffle
from torch import nn
from torch.nn import functional as F

from topkd.models.backbones import NETWORKS
from topkd.models.backbones.cifar_shufflenet_v2 import SplitUnit
from topkd.models.taps.stage_taps import stage_taps
from topkd.models.taps.tap import find_module, reach, tap

# channels and sizes of the benchmark's f1, f2, ... on images of 32 pixels, without f0
MAPS = dict(
    resnet20=[(16, 32), (32, 16), (64, 8)],
    resnet32=[(16, 32), (32, 16), (64, 8)],
    resnet56=[(16, 32), (32, 16), (64, 8)],
    resnet110=[(16, 32), (32, 16), (64, 8)],
    resnet8x4=[(64, 32), (128, 16), (256, 8)],
    resnet32x4=[(64, 32), (128, 16), (256, 8)],
    wrn16_2=[(32, 32), (64, 16), (128, 8)],
    wrn40_1=[(16, 32), (32, 16), (64, 8)],
    wrn40_2=[(32, 32), (64, 16), (128, 8)],
    vgg8=[(128, 16), (256, 8), (512, 4), (512, 4)],
    vgg13=[(128, 16), (256, 8), (512, 4), (512, 4)],
    resnet50=[(256, 32), (512, 16), (1024, 8), (2048, 4)],
    mobilenetv2=[(12, 16), (16, 8), (48, 4), (160, 2)],
    shufflenetv1=[(240, 16), (480, 8), (960, 4)],
    shufflenetv2=[(116, 16), (232, 8), (464, 4)],
)


def classifier(backbone, width):
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type='mmpretrain.ImageClassifier',
            backbone=copy.deepcopy(backbone),
            neck=dict(type='mmpretrain.GlobalAveragePooling'),
            head=dict(type='mmpretrain.LinearClsHead', num_classes=7, in_channels=width),
        )
    ).eval()


def features_of(model, taps, size):
    paths = [taps.stem, *taps.maps, *(taps.pre_activation or ()), taps.last_map, taps.pooled, taps.logits]
    with torch.no_grad():
        return reach(model, torch.randn(2, 3, size, size), paths)


@pytest.mark.parametrize('network', MAPS)
def test_every_benchmark_network(network):
    taps = stage_taps(NETWORKS[network])
    width = MODELS.build(dict(NETWORKS[network])).out_channels
    model = classifier(NETWORKS[network], width)
    features = features_of(model, taps, 32)
    assert [tuple(features[path].shape[1:3]) for path in taps.maps] == MAPS[network]
    assert features[taps.logits].shape == (2, 7)
    assert torch.allclose(features[taps.last_map].mean((2, 3)), features[taps.pooled])
    assert len(taps.maps) == len(taps.pre_activation)
    for after, before in zip(taps.maps, taps.pre_activation):
        after, before = features[after], features[before]
        if network.startswith('wrn'):
            assert before.shape == after.shape and not torch.equal(before, after)
        elif network.startswith('mobilenet'):
            assert torch.equal(before, after)
        elif network == 'shufflenetv2':
            assert torch.equal(channel_shuffle(before.relu(), 2), after) and before.min() < 0
        else:
            assert torch.equal(before.relu(), after) and before.min() < 0
    if network.startswith('shufflenet'):
        assert taps.last_bn is None
        return
    for path, before in zip(taps.last_bn, taps.pre_activation):
        norm = find_module(model, path)
        assert isinstance(norm, nn.BatchNorm2d) and norm.num_features == features[before].shape[1]


def test_pre_activations_of_a_wide_resnet_are_the_normalized_outputs_of_its_groups():
    taps = stage_taps('topkd.CIFARWideResNet')
    model = classifier(NETWORKS['wrn16_2'], 128)
    features = features_of(model, taps, 32)
    for after, before, norm in zip(taps.maps, taps.pre_activation, taps.last_bn):
        assert torch.equal(find_module(model, norm)(features[after]), features[before])


@pytest.mark.parametrize(
    'backbone, width, widths',
    [
        (dict(type='mmpretrain.ResNet', depth=18), 512, [64, 128, 256, 512]),
        (dict(type='mmpretrain.ResNet', depth=50), 2048, [256, 512, 1024, 2048]),
        (dict(type='mmpretrain.MobileNetV2'), 1280, [24, 32, 96, 320]),
    ],
)
def test_imagenet_networks(backbone, width, widths):
    taps = stage_taps(backbone)
    model = classifier(backbone, width)
    features = features_of(model, taps, 64)
    assert [features[path].shape[1] for path in taps.maps] == widths
    assert [features[path].shape[2] for path in taps.maps] == [16, 8, 4, 2]
    for path, after, before, level in zip(taps.last_bn, taps.maps, taps.pre_activation, widths):
        norm, after, before = find_module(model, path), features[after], features[before]
        assert isinstance(norm, nn.BatchNorm2d) and norm.num_features == level
        if backbone['type'] == 'mmpretrain.ResNet':  # stages of MobileNetV2 end without a ReLU
            assert torch.equal(before.relu(), after) and before.min() < 0


def test_taps_of_a_classifiers_config_and_of_an_unknown_network():
    assert stage_taps(dict(type='ImageClassifier', backbone=NETWORKS['vgg8'])) is stage_taps('CIFARVGG')
    with pytest.raises(KeyError, match='stage taps are known of CIFARResNet, .*, got SwinTransformer: name the taps'):
        stage_taps('mmpretrain.SwinTransformer')


def test_activation_over_both_halves_of_a_split_unit_changes_neither_output_nor_gradients():
    torch.manual_seed(0)
    unit = SplitUnit(8)
    images = torch.randn(4, 8, 5, 5, requires_grad=True)
    out = unit(images.relu())
    out.square().sum().backward()
    gradient, images.grad = images.grad, None
    kept, half = images.relu().chunk(2, dim=1)
    half = F.relu(unit.bn1(unit.conv1(half)))
    half = F.relu(unit.bn3(unit.conv3(unit.bn2(unit.conv2(half)))))
    expected = channel_shuffle(torch.cat([kept, half], dim=1), 2)
    expected.square().sum().backward()
    assert torch.equal(out, expected)
    assert torch.allclose(gradient, images.grad, rtol=1e-5, atol=1e-6)


def test_activations_add_no_weights():
    keys = MODELS.build(NETWORKS['resnet20']).state_dict()
    assert not [key for key in keys if 'relu' in key]


def test_last_child_and_parameters_as_taps():
    net = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Tanh(), nn.Linear(3, 4)))
    inputs = torch.rand(5, 2)
    with tap(net, ['-1.-2', '-1.-1(0)', '0.weight', '-1.-1.bias']) as features:
        net(inputs)
    assert torch.equal(features['-1.-2'], net[0](inputs).tanh()) and features['-1.-1(0)'] is features['-1.-2']
    assert features['0.weight'] is net[0].weight and features['-1.-1.bias'] is net[1][1].bias
    with pytest.raises(KeyError, match="tap '-1.-3': Sequential has no module '-3'; it has: 0, 1"):
        find_module(net, '-1.-3')
