"""Conversion: the converted network computes what the foreign one computes, and nothing is dropped in silence."""

import os
import re
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from crd_networks import REFERENCES, reference
from mmengine.config import Config
from mmpretrain.registry import MODELS as MMPRETRAIN_MODELS
from torch import nn

from topkd.convert import convert, convert_checkpoint
from topkd.models import RipsNet
from topkd.models.backbones import NETWORKS
from topkd.registry import MODELS

CONFIGS = Path(__file__).resolve().parent.parent / 'configs'
SHARED = os.path.join(
    os.path.dirname(__file__), '..', '..', 'shared', 'data', 'weights', 'cifar100_resnet56-f2eff4c8.pt'
)


def classifier(network, num_classes=100):
    """Build our ImageClassifier of a network."""
    backbone = MODELS.build(dict(NETWORKS[network]))
    head = dict(type='LinearClsHead', num_classes=num_classes, in_channels=backbone.out_channels)
    model = dict(type='ImageClassifier', backbone=backbone, neck=dict(type='GlobalAveragePooling'), head=head)
    return MMPRETRAIN_MODELS.build(model).eval()


@pytest.mark.parametrize('network', REFERENCES)
def test_logits_and_parameters_equal_the_benchmarks_network(network):
    foreign = reference(network)
    converted = convert(foreign.state_dict())
    assert converted['meta']['network'] == network
    ours = classifier(network)
    ours.load_state_dict(converted['state_dict'], strict=True)
    count = sum(parameter.numel() for parameter in foreign.parameters())
    assert sum(parameter.numel() for parameter in ours.parameters()) == count
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, logits = foreign(images), ours(images, mode='tensor')
    assert expected.std() > 1e-2  # a network that forgets its input would agree with anything
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item())


def test_vgg_for_images_of_64_pixels():
    foreign = reference('vgg8', num_classes=20)
    ours = classifier('vgg8', num_classes=20)
    ours.backbone = MODELS.build(dict(type='topkd.CIFARVGG', depth=8, num_pools=4)).eval()
    ours.load_state_dict(convert(foreign.state_dict())['state_dict'], strict=True)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(ours(images, mode='tensor'), foreign(images))


@pytest.mark.parametrize('num_classes', [1, 10, 200])
def test_number_of_classes_is_read_off_the_file(num_classes):
    converted = convert(reference('resnet20', num_classes=num_classes).state_dict())
    assert converted['meta']['num_classes'] == num_classes
    classifier('resnet20', num_classes).load_state_dict(converted['state_dict'], strict=True)


def test_all_networks_are_told_apart_by_shapes_alone():
    """Every layout fits its own network only: no two networks share all names and shapes."""
    shapes = {}
    for network, config in NETWORKS.items():
        with torch.device('meta'):
            state = MODELS.build(dict(config)).state_dict()
        shapes[network] = tuple((key, tuple(tensor.shape)) for key, tensor in state.items())
    assert len(set(shapes.values())) == len(NETWORKS)


def test_counters_of_old_files_start_at_zero():
    state = reference('wrn16_2').state_dict()
    old = {key: tensor for key, tensor in state.items() if not key.endswith('num_batches_tracked')}
    converted = convert(old)['state_dict']
    counters = [tensor for key, tensor in converted.items() if key.endswith('num_batches_tracked')]
    assert len(counters) == 13 and all(tensor.item() == 0 and tensor.dtype == torch.long for tensor in counters)
    classifier('wrn16_2').load_state_dict(converted, strict=True)
    assert convert(state)['state_dict']['backbone.final.bn.num_batches_tracked'] == 7


def test_named_network_is_taken_and_checked():
    state = reference('resnet8x4').state_dict()
    assert convert(state, network='resnet8x4')['meta']['network'] == 'resnet8x4'
    with pytest.raises(ValueError, match=r'do not fit vgg8 \(missing: block0\.0\.weight, .*unexpected: conv1\.weight'):
        convert(state, network='vgg8')
    with pytest.raises(ValueError, match="unknown network 'resnet9': choose one of resnet20, "):
        convert(state, network='resnet9')


def test_missing_unexpected_and_reshaped_weights_are_listed_together():
    state = reference('resnet20').state_dict()
    del state['layer2.1.conv2.weight'], state['conv1.weight']
    state['teacher.weight'] = torch.zeros(3)
    state['fc.weight'] = torch.zeros(100, 128)
    with pytest.raises(ValueError) as error:
        convert(state)
    assert str(error.value) == (
        'the weights do not fit resnet20 (missing: conv1.weight, layer2.1.conv2.weight; unexpected: teacher.weight; '
        'reshaped: fc.weight (expected (100, 64), got (100, 128))): name a checkpoint of this network, or the network '
        'of this checkpoint'
    )


def test_lone_unexpected_counter_is_not_dropped():
    state = reference('resnet20').state_dict()
    state['bn9.num_batches_tracked'] = torch.zeros(())
    with pytest.raises(ValueError, match=r'resnet20 \(unexpected: bn9.num_batches_tracked\)'):
        convert(state)


def test_network_of_another_structure_is_refused():
    """pytorch-cifar-models' VGG has other names, its ShuffleNetV2 another stem: no part of them is taken."""
    vgg = nn.Sequential(
        OrderedDict(
            features=nn.Sequential(nn.Conv2d(3, 64, 3), nn.BatchNorm2d(64)),
            classifier=nn.Sequential(nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 100)),
        )
    )
    with pytest.raises(ValueError, match=r'no place for the weights features\.0\.weight.*classifier\.2\.bias: name a '):
        convert(vgg.state_dict())
    state = reference('shufflenetv2').state_dict()
    state['conv1.weight'] = torch.zeros(24, 3, 3, 3)
    message = r'shufflenetv2 \(reshaped: conv1.weight \(expected \(24, 3, 1, 1\), got \(24, 3, 3, 3\)\)\)'
    with pytest.raises(ValueError, match=message):
        convert(state)


def test_long_lists_are_cut():
    with pytest.raises(ValueError) as error:
        convert(reference('resnet110').state_dict(), network='resnet20')
    assert re.search(r'unexpected: layer1\.3\.conv1\.weight, .* and \d+ more\)', str(error.value))
    assert len(str(error.value)) < 2000


class AuthorsRipsNet(nn.Module):
    """The authors' network: seven layers that hold a linear one each; biases in the first three only."""

    def __init__(self, widths, operator):
        super().__init__()
        self.operator = operator
        for i, (w_in, w_out) in enumerate(zip(widths, widths[1:]), 1):
            layer = nn.Module()
            layer.linear = nn.Linear(w_in, w_out, bias=i <= 3)
            setattr(self, f'layer{i}', layer)

    def forward(self, points):
        x = points
        for i in (1, 2, 3):
            x = getattr(self, f'layer{i}').linear(x).relu()
        x = x.sum(1) if self.operator == 'sum' else x.mean(1)
        for i in (4, 5, 6):
            x = getattr(self, f'layer{i}').linear(x).relu()
        return self.layer7.linear(x).sigmoid()


@pytest.mark.parametrize('operator', ['mean', 'sum'])
@pytest.mark.parametrize('widths', [(64, 64, 32, 32), (64, 30, 20, 10), (512, 512, 256, 256)])
def test_ripsnet_computes_what_the_authors_computes(tmp_path, widths, operator):
    torch.manual_seed(0)
    foreign = AuthorsRipsNet((*widths, 50, 100, 200, 400), operator)
    source, destination = str(tmp_path / 'mean_best.pth'), str(tmp_path / 'ours.pth')
    torch.save(dict(epoch=3, model=foreign.state_dict(), best_acc=np.float64(1.2e-3), optimizer={'state': {}}), source)
    meta = convert_checkpoint(source, destination, operator=operator)
    assert meta == dict(network='ripsnet', recorded=dict(epoch=3, best_acc=1.2e-3), converted_from='mean_best.pth')
    file = torch.load(destination, weights_only=True)
    assert (file['in_channels'], file['units'], file['operator']) == (widths[0], list(widths[1:]), operator)
    ours = RipsNet(widths[0], operator=operator, units=widths[1:])
    ours.load_state_dict(file['state_dict'], strict=True)
    points = torch.randn(3, 16, widths[0])
    with torch.no_grad():
        torch.testing.assert_close(ours(points), foreign(points))
        torch.testing.assert_close(RipsNet(checkpoint=destination)(points), foreign(points))


def test_ripsnet_that_does_not_fit_is_refused():
    state = AuthorsRipsNet((64, 64, 32, 32, 50, 100, 200, 400), 'mean').state_dict()
    with pytest.raises(ValueError, match="operator of a RipsNet must be 'mean' or 'sum', got 'max'"):
        convert(state, operator='max')
    with pytest.raises(
        ValueError, match=r'do not fit ripsnet \(missing: layer3\.linear\.bias; unexpected: layer8\.w\)'
    ):
        convert(
            {**{key: value for key, value in state.items() if key != 'layer3.linear.bias'}, 'layer8.w': torch.ones(1)}
        )
    with pytest.raises(ValueError, match=r'layer7\.linear\.weight \(expected \(400, 200\), got \(100, 200\)\)'):
        convert({**state, 'layer7.linear.weight': torch.zeros(100, 200)})
    del state['layer2.linear.weight']
    with pytest.raises(ValueError, match=r'needs matrices layer1\.linear\.weight, .*got shapes .*\(\), \(32, 32\)'):
        convert(state)


@pytest.mark.skipif(not os.path.exists(SHARED), reason=f'{SHARED} is not at hand')
def test_real_checkpoint_of_pytorch_cifar_models(tmp_path):
    destination = str(tmp_path / 'resnet56.pth')
    assert convert_checkpoint(SHARED, destination)['network'] == 'resnet56'
    file = torch.load(destination, weights_only=True)
    ours, foreign = classifier('resnet56'), REFERENCES['resnet56']().eval()
    ours.load_state_dict(file['state_dict'], strict=True)
    foreign.load_state_dict(torch.load(SHARED, weights_only=True))
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(ours(images, mode='tensor'), foreign(images), rtol=1e-5, atol=1e-5)


def torchvision_network(name, num_classes=1000):
    """Return a network of torchvision in eval mode whose normalization does something."""
    torch.manual_seed(0)
    network = getattr(torchvision.models, name)(weights=None, num_classes=num_classes)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.3, 0.8)
            nn.init.normal_(module.bias, 0, 0.1)
    return network.eval()


@pytest.mark.parametrize('name', ['resnet18', 'resnet34', 'resnet50'])
def test_torchvisions_resnets_give_the_same_logits(tmp_path, name):
    foreign = torchvision_network(name)
    source, destination = str(tmp_path / f'{name}-0a1b2c3d.pth'), str(tmp_path / 'ours.pth')
    torch.save(foreign.state_dict(), source)
    meta = convert_checkpoint(source, destination)
    assert (meta['network'], meta['num_classes']) == (f'{name}_imagenet', 1000)
    ours = MMPRETRAIN_MODELS.build(Config.fromfile(CONFIGS / 'baselines' / f'{name}_imagenet.py').model).eval()
    ours.load_state_dict(torch.load(destination, weights_only=True)['state_dict'], strict=True)
    images = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, logits = foreign(images), ours(images, mode='tensor')
    assert expected.std() > 1e-2
    torch.testing.assert_close(logits, expected, rtol=1e-6, atol=1e-6 * expected.abs().max().item())


def test_torchvisions_old_files_and_other_numbers_of_classes():
    state = torchvision_network('resnet18', num_classes=7).state_dict()
    old = {key: tensor for key, tensor in state.items() if not key.endswith('num_batches_tracked')}
    converted = convert(old, network='resnet18_imagenet')
    assert converted['meta']['num_classes'] == 7 and converted['state_dict']['head.fc.weight'].shape == (7, 512)
    assert len(converted['state_dict']) == len(state)


def test_torchvisions_other_networks_are_refused():
    with pytest.raises(ValueError, match=r'do not fit resnet50_imagenet \(reshaped: layer1\.0\.conv1\.weight'):
        convert(torchvision.models.wide_resnet50_2(weights=None).state_dict())
    with pytest.raises(ValueError, match=r'no place for the weights features\.0\.0\.weight'):
        convert(torchvision.models.mobilenet_v2(weights=None).state_dict())


def test_addresses_that_cannot_be_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    with pytest.raises(
        ValueError, match="MMEngine knows no checkpoint 'torchvision://resnet9': write torchvision://resnet34"
    ):
        convert_checkpoint('torchvision://resnet9', str(tmp_path / 'ours.pth'))
    with pytest.raises(
        OSError, match="cannot download 'http://127.0.0.1:9/resnet34.pth' .*: download the file elsewhere and name it"
    ):
        convert_checkpoint('http://127.0.0.1:9/resnet34.pth', str(tmp_path / 'ours.pth'))
    assert not (tmp_path / 'ours.pth').exists()


def test_address_of_torchvisions_weights(tmp_path, monkeypatch):
    """torchvision://resnet50 is the file that its papers' 76.1 % stand for, and a download is converted like a file."""
    fetched = []

    def fetch(address, *args, **kwargs):
        fetched.append(address)
        return torchvision_network('resnet50').state_dict()

    monkeypatch.setattr('mmengine.runner.checkpoint.load_url', fetch)
    assert convert_checkpoint('torchvision://resnet50', str(tmp_path / 'ours.pth'))['network'] == 'resnet50_imagenet'
    assert fetched == [torchvision.models.ResNet50_Weights.IMAGENET1K_V1.url]
