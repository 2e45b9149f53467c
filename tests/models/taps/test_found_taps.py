"""Taps found by one forward: stages of many families, the classifier's input and output, and errors."""

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

from topkd.models.taps.found_taps import found_taps
from topkd.models.taps.stage_taps import STAGE_TAPS
from topkd.models.taps.tap import reach
from topkd.models.taps.tap_names import TapNames

LINEAR = dict(type='LinearClsHead', num_classes=7)
VIT = dict(type='VisionTransformerClsHead', num_classes=7)
TINY = dict(embed_dims=16, num_layers=6, num_heads=2, feedforward_channels=32)


def classifier(backbone, head, neck=True):
    """Return the config of one of mmpretrain's classifiers."""
    pooling = dict(type='GlobalAveragePooling') if neck else None
    return dict(type='ImageClassifier', backbone=backbone, neck=pooling, head=head)


# network, size of the image, widths and sizes of the stages, tap of the classifier's input and its width
FAMILIES = dict(
    resnet=(
        classifier(dict(type='ResNet', depth=18, base_channels=8, stem_channels=8), dict(LINEAR, in_channels=64)),
        64,
        [(8, 16), (16, 8), (32, 4), (64, 2)],
        ('head.fc(0)', 64),
    ),
    shufflenet=(
        classifier(dict(type='ShuffleNetV2', widen_factor=0.5), dict(LINEAR, in_channels=1024)),
        64,
        [(48, 8), (96, 4), (1024, 2)],
        ('head.fc(0)', 1024),
    ),
    mobilenet=(
        classifier(dict(type='MobileNetV3', arch='small'), dict(LINEAR, in_channels=576)),
        64,
        [(16, 16), (24, 8), (48, 4), (576, 2)],
        ('head.fc(0)', 576),
    ),
    efficientnet=(
        classifier(dict(type='EfficientNet', arch='b0'), dict(LINEAR, in_channels=1280)),
        64,
        [(24, 16), (40, 8), (112, 4), (1280, 2)],
        ('head.fc(0)', 1280),
    ),
    convnext=(
        classifier(
            dict(type='ConvNeXt', arch=dict(depths=[1, 1, 1, 1], channels=[8, 16, 24, 32])),
            dict(LINEAR, in_channels=32),
            neck=False,
        ),
        64,
        [(8, 16), (16, 8), (24, 4), (32, 2)],
        ('head.fc(0)', 32),
    ),
    swin=(
        classifier(
            dict(
                type='SwinTransformer',
                arch=dict(embed_dims=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2]),
                img_size=64,
                window_size=2,
            ),
            dict(LINEAR, in_channels=64),
        ),
        64,
        [(8, 16), (16, 8), (32, 4), (64, 2)],
        ('head.fc(0)', 64),
    ),
    vit=(
        classifier(
            dict(type='VisionTransformer', arch=TINY, img_size=32, patch_size=8), dict(VIT, in_channels=16), False
        ),
        32,
        [(16, 4)] * 4,
        ('head.layers.head(0)', 16),
    ),
    deit=(
        classifier(
            dict(type='DistilledVisionTransformer', arch=TINY, img_size=32, patch_size=8),
            dict(VIT, type='DeiTClsHead', in_channels=16),
            False,
        ),
        32,
        [(16, 4)] * 4,
        ('head.layers.head(0)', 16),
    ),
)


@pytest.mark.parametrize('family', FAMILIES)
def test_family(family):
    config, size, stages, (pooled, width) = FAMILIES[family]
    network = MODELS.build(config).eval()
    training = [module.training for module in network.modules()]
    found = found_taps(network, torch.zeros(1, 3, size, size))
    assert [module.training for module in network.modules()] == training
    images = torch.rand(2, 3, size, size)
    with torch.no_grad():
        features = reach(network, images, [found.stem, *found.maps, found.pooled, found.logits])
        logits = network(images)
    assert [tuple(features[path].shape[1:3]) for path in found.maps] == stages
    assert found.pooled == pooled and features[found.pooled].shape == (2, width)
    assert torch.equal(features[found.logits], logits) and found.pre_activation is None
    assert features[found.stem].ndim == 4 and features[found.stem].shape[2] >= stages[0][1]


def test_found_equal_those_of_the_table():
    for name, config in (
        ('ResNet', FAMILIES['resnet'][0]),
        ('CIFARResNet', classifier(dict(type='topkd.CIFARResNet', depth=8), dict(LINEAR, in_channels=64))),
    ):
        found = found_taps(MODELS.build(config), torch.zeros(1, 3, 64, 64))
        assert found.maps == STAGE_TAPS[name].maps and found.logits == STAGE_TAPS[name].logits


def test_blocks_of_a_transformer_are_cut_into_four():
    network = MODELS.build(FAMILIES['vit'][0])
    found = found_taps(network, torch.zeros(1, 3, 32, 32))
    assert found.stem == 'backbone.patch_embed[0]:map'
    assert found.maps == tuple(f'backbone.layers.{number}:map' for number in (1, 2, 4, 5))


class Plain(nn.Sequential):
    def forward(self, image, data_samples=None, mode='tensor'):
        return super().forward(image)


def test_maps_that_are_overwritten_are_passed_over():
    layers = [nn.Conv2d(3, 4, 3, 1, 1), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, 1, 1)]
    network = Plain(*layers, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))
    found = found_taps(network, torch.zeros(1, 3, 16, 16))
    assert (found.stem, found.maps, found.pooled, found.logits) == ('1', ('4',), '7(0)', '7')


@pytest.mark.parametrize(
    'layers, message',
    [
        ([nn.Conv2d(3, 4, 3)], 'the stages of a Plain cannot be found, as it returns no logits'),
        ([nn.Conv2d(3, 5, 16), nn.Flatten()], 'no linear layer makes the 5 logits'),
        ([nn.Flatten(), nn.Linear(768, 5)], 'no module of Plain returns maps or tokens'),
    ],
)
def test_networks_without_stages(layers, message):
    with pytest.raises(ValueError, match=message):
        found_taps(Plain(*layers), torch.zeros(1, 3, 16, 16))


def test_names():
    names = TapNames(MODELS.build(FAMILIES['vit'][0]), torch.zeros(1, 3, 32, 32))
    assert names.resolve('@pooled') == 'head.layers.head(0)' and names.resolve('neck[0]') == 'neck[0]'
    assert names.resolve(['@maps[-1]', '@logits']) == ['backbone.layers.5:map', 'head.layers.head']
    with pytest.raises(ValueError, match="a VisionTransformer has no taps '@pre_activation'"):
        names.resolve('@pre_activation')
    with pytest.raises(ValueError, match="the tap '@maps\\[4\\]' names number 4 of 4"):
        names.resolve('@maps[4]')
    with pytest.raises(KeyError, match="a tap with @ is one of @stem, .*, got '@embedding'"):
        names.resolve('@embedding')


def test_table_is_asked_first():
    names = TapNames(MODELS.build(FAMILIES['resnet'][0]), torch.zeros(1, 3, 64, 64))
    assert names.resolve('@pooled') == 'neck[0]' and names.taps is STAGE_TAPS['ResNet']
