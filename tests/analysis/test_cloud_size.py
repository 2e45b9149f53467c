"""Sizes of clouds from a config alone, and its topology loss by name."""

import pytest

from topkd.analysis.cloud_size import cloud_size, tap_width
from topkd.models.backbones import CIFARResNet
from topkd.models.clouds import BatchCloud, RoICloud, SpatialCloud
from topkd.models.losses.topology_configs import topology_config


def test_points_and_width_of_a_pair(digits_config):
    cfg = digits_config('topkd/resnet20-resnet8_digits.py', **{'model.teacher.checkpoint': 'not/needed.pth'})
    assert cloud_size(cfg) == (64, 64)
    cfg.model.losses.topology.merge(dict(teacher_tap='backbone.layer1', cloud=dict(num_points=None)))
    cfg.train_dataloader.batch_size = 32
    assert cloud_size(cfg) == (32, 16)


def test_images_of_a_cloud():
    clouds = (BatchCloud(), BatchCloud(16), SpatialCloud(4), RoICloud(16, images_per_cloud=3))
    assert [cloud.images(24) for cloud in clouds] == [24, 16, 1, 3]


def test_clouds_of_grid_cells_have_the_points_of_the_grid(digits_config):
    cfg = digits_config('topkd/resnet20-resnet8_digits.py')
    cfg.model.losses.topology.cloud = dict(type='SpatialCloud', grid=3)
    cfg.model.losses.topology.teacher_tap = 'backbone.layer2'
    assert cloud_size(cfg) == (9, 32)


def test_width_of_several_taps_is_theirs():

    class Network(CIFARResNet):
        def forward(self, inputs, mode=None):
            return super().forward(inputs)

    network = Network(depth=8, channels=(8, 8, 16, 16)).train()
    assert tap_width(network, ['layer2', 'layer3']) == 16
    assert not network.training


def test_wrong_configs_end_in_a_sentence(digits_config):
    with pytest.raises(KeyError, match='the config has no teacher: name a distillation config'):
        cloud_size(digits_config('baselines/resnet8_digits.py'))
    cfg = digits_config('topkd/resnet20-resnet8_digits.py')
    with pytest.raises(KeyError, match=r"no topology loss 'kd' \(it has: topology\): name one of them by --loss"):
        topology_config(cfg, 'kd')
    with pytest.raises(KeyError, match=r"no topology loss 'topology' \(it has: none\)"):
        topology_config(digits_config('kd/resnet20-resnet8_digits.py'))
