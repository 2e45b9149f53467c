"""Every network of the benchmark: its size, its baseline config and its initialization."""

import glob
import os

import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS as MMPRETRAIN_MODELS
from torch import nn

from topkd.models.backbones import NETWORKS, benchmark_key
from topkd.registry import MODELS

BASELINES = os.path.join(os.path.dirname(__file__), '..', '..', '..', 'configs', 'baselines')

# Trainable parameters with 100 classes and the classifier's input width. Origin: ResNet20 and ResNet56 as published with
# TopKD; all of them follow from the modules in HobbitLong/RepDistiller, models/*.py (the same in mdistiller), which
# tests/crd_networks.py writes down anew and tests/test_convert.py counts.
SIZES = dict(
    resnet20=(278_324, 64),
    resnet32=(472_756, 64),
    resnet56=(861_620, 64),
    resnet110=(1_736_564, 64),
    resnet8x4=(1_233_540, 256),
    resnet32x4=(7_433_860, 256),
    wrn16_2=(703_284, 128),
    wrn40_1=(569_780, 64),
    wrn40_2=(2_255_156, 128),
    vgg8=(3_965_028, 512),
    vgg13=(9_462_180, 512),
    resnet50=(23_705_252, 2048),
    mobilenetv2=(812_836, 1280),
    shufflenetv1=(949_258, 960),
    shufflenetv2=(1_355_528, 1024),
)
SLOW_START = ('mobilenetv2', 'shufflenetv1', 'shufflenetv2')


def baseline(network):
    return Config.fromfile(os.path.join(BASELINES, f'{network}_cifar100.py'))


def classifier(network):
    """Build the model of a baseline config as the runner does."""
    cfg = baseline(network)
    torch.manual_seed(0)
    model = MMPRETRAIN_MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))
    model.init_weights()
    return model


@pytest.mark.parametrize('network', SIZES)
def test_parameters_and_classifier_inputs(network):
    model = classifier(network)
    parameters, width = SIZES[network]
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters
    assert model.head.fc.in_features == model.backbone.out_channels == width
    features = model.eval().extract_feat(torch.randn(2, 3, 32, 32))
    assert [tuple(feature.shape) for feature in features] == [(2, width)]


def test_every_baseline_config_is_of_a_known_network():
    names = {os.path.basename(path)[: -len('_cifar100.py')] for path in glob.glob(f'{BASELINES}/*_cifar100.py')}
    # ResNet8 is of our own study, not of the paper
    assert names - {'resnet8'} == set(SIZES) == set(list(NETWORKS)[:15])


@pytest.mark.parametrize('network', SIZES)
def test_config_builds_the_network_that_the_converter_knows(network):
    cfg = baseline(network)
    arguments = {key: value for key, value in cfg.model.backbone.items() if key != 'type'}
    assert cfg.model.backbone.type == NETWORKS[network]['type']
    with torch.device('meta'):
        ours = MODELS.build(dict(NETWORKS[network])).state_dict()
        built = MODELS.build(dict(type=NETWORKS[network]['type'], **arguments)).state_dict()
    assert {key: value.shape for key, value in built.items()} == {key: value.shape for key, value in ours.items()}
    assert cfg.optim_wrapper.optimizer.lr == (0.01 if network in SLOW_START else 0.05)
    assert cfg.optim_wrapper.optimizer.type == 'SGD'


def assert_spread(values, std, tolerance=0.05):
    assert values.std().item() == pytest.approx(std, rel=tolerance)
    assert abs(values.mean().item()) < 0.1 * std


@pytest.mark.parametrize('network', ['resnet56', 'wrn40_2', 'vgg8', 'resnet50', 'mobilenetv2'])
def test_convolutions_start_from_he_normal(network):
    """The benchmark draws from N(0, 2 / (k k C_out)), depthwise convolutions included."""
    backbone = classifier(network).backbone
    scaled = []
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.kernel_size[0] ** 2 * module.out_channels
            scaled.append(module.weight.detach().flatten() * (fan_out / 2) ** 0.5)
            assert module.bias is None or not module.bias.any()
        elif isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all() and not module.bias.any()
    scaled = torch.cat(scaled)
    assert_spread(scaled, 1.0, tolerance=0.02)
    assert (scaled.abs() > 2).float().mean().item() == pytest.approx(0.0455, abs=0.005)  # of a normal distribution


@pytest.mark.parametrize('network', ['shufflenetv1', 'shufflenetv2'])
def test_shufflenets_start_from_pytorchs_own_initialization(network):
    """The benchmark sets nothing in this family: uniform in +-1 / sqrt(fan_in)."""
    scaled = []
    for module in classifier(network).backbone.modules():
        if isinstance(module, nn.Conv2d):
            scaled.append(module.weight.detach().flatten() * module.weight[0].numel() ** 0.5)
    scaled = torch.cat(scaled)
    assert scaled.abs().max() <= 1 + 1e-6
    assert_spread(scaled, 3**-0.5, tolerance=0.01)


@pytest.mark.parametrize('network', SIZES)
def test_classifier_starts_as_in_the_benchmark(network):
    head = classifier(network).head.fc
    bound = head.in_features**-0.5
    if network.startswith(('vgg', 'mobilenet')):
        assert_spread(head.weight, 0.01)
        assert not head.bias.any()
        return
    assert head.weight.abs().max() <= bound
    assert_spread(head.weight, bound / 3**0.5)
    if network.startswith('wrn'):
        assert not head.bias.any()
    else:
        assert head.bias.any() and head.bias.abs().max() <= bound


@pytest.mark.parametrize(
    'backbone, ours, benchmarks',
    [
        ('CIFARResNet', 'backbone.stem.bn.running_var', 'bn1.running_var'),
        ('CIFARResNet', 'backbone.layer2.0.downsample.1.weight', 'layer2.0.downsample.1.weight'),
        ('CIFARResNet50', 'backbone.layer4.0.downsample.0.weight', 'layer4.0.shortcut.0.weight'),
        ('CIFARWideResNet', 'backbone.stem.weight', 'conv1.weight'),
        ('CIFARWideResNet', 'backbone.layer3.0.shortcut.weight', 'block3.layer.0.convShortcut.weight'),
        ('CIFARWideResNet', 'backbone.final.bn.bias', 'bn1.bias'),
        ('CIFARVGG', 'backbone.stem.conv1.bias', 'block0.0.bias'),
        ('CIFARVGG', 'backbone.layer4.bn2.weight', 'block4.4.weight'),
        ('CIFARVGG', 'head.fc.weight', 'classifier.weight'),
        ('CIFARMobileNetV2', 'backbone.stem.bn.bias', 'conv1.1.bias'),
        ('CIFARMobileNetV2', 'backbone.layer3.1.2.conv3.weight', 'blocks.4.2.conv.6.weight'),
        ('CIFARMobileNetV2', 'backbone.final.conv.weight', 'conv2.0.weight'),
        ('CIFARMobileNetV2', 'head.fc.bias', 'classifier.0.bias'),
        ('CIFARShuffleNetV1', 'head.fc.bias', 'linear.bias'),
        ('CIFARShuffleNetV2', 'backbone.final.bn.weight', 'bn2.weight'),
        ('CIFARShuffleNetV2', 'backbone.layer1.0.conv5.weight', 'layer1.0.conv5.weight'),
    ],
)
def test_benchmark_key(backbone, ours, benchmarks):
    assert benchmark_key(backbone, ours) == benchmarks
