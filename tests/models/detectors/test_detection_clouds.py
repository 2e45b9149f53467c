"""Clouds, images and RipsNet of a detector, by the runners behind tools/gen_pi.py and tools/train_ripsnet.py."""

import copy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, MODELS, init_default_scope
from tiny_detectors import batch, build, detector, step

from topkd.artifacts.artifact import read_manifest
from topkd.models.losses.topology_configs import unloaded_loss
from topkd.runners import PersistenceImageRunner, RipsNetRunner
from topkd.runners.cloud_sampling import CloudSampler, CloudSeededDataset

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / 'tools'))


@pytest.fixture(scope='module')
def scenes(tmp_path_factory):
    from make_digit_scenes import make_digit_scenes

    folder = tmp_path_factory.mktemp('scenes') / 'data'
    make_digit_scenes(folder, dict(description='', train=9, val=1, seed=0, size=64))
    return folder


@pytest.fixture
def cfg(scenes, tmp_path, monkeypatch):
    """Return the digit-scenes config with a tiny teacher, whose images are resized to different heights."""
    monkeypatch.chdir(tmp_path)
    init_default_scope('mmdet')
    cfg = Config.fromfile(ROOT / 'configs/topkd/faster-rcnn_r18w32-r18w16_digit-scenes.py')
    torch.save(dict(state_dict=build(detector(classes=10)).state_dict()), tmp_path / 'teacher.pth')
    cfg.model.teacher = dict(name='tiny', model=detector(classes=10), checkpoint=str(tmp_path / 'teacher.pth'))
    cfg.model.losses.topology.cloud.num_points = 4
    dataset = cfg.train_dataloader.dataset
    dataset.data_root = str(scenes)
    dataset.pipeline[2] = dict(type='RandomResize', scale=[(64, 64), (96, 96)], keep_ratio=True)
    cfg.clouds = dict(num_clouds=8, seed=1)
    cfg.ripsnet = dict(max_epochs=2, operators=('mean',), batch_size=4)
    cfg.work_dir, cfg.launcher = str(tmp_path / 'work'), 'none'
    return cfg


def test_a_cloud_is_the_teachers_pooled_pyramid_of_unpadded_images(cfg):
    runner = PersistenceImageRunner.from_cfg(cfg)
    folder = runner.run()
    assert Path(folder).name == 'tiny_neck-0-neck-1-neck-2-neck-3_n4_h0'
    clouds, images = (np.load(f'{folder}/{name}.npy') for name in ('clouds', 'images'))
    assert clouds.shape == (8, 4, 16) and images.shape == (8, 400)
    assert images.max() == pytest.approx(1, abs=1e-5)
    # the images of cloud 3, each through the teacher on its own: nothing is padded to a common size then
    dataset = CloudSeededDataset(DATASETS.build(cfg.train_dataloader.dataset), 1)
    teacher, sizes = runner.teacher.module, set()
    points = []
    for key in next(iter(CloudSampler([3], 9, 4, 1))):
        item = dataset[key]
        height, width = item['data_samples'].img_shape
        sizes.add((height, width))
        data = teacher.data_preprocessor(dict(inputs=[item['inputs']], data_samples=[item['data_samples']]), True)
        with torch.no_grad():
            levels = teacher.extract_feat(data['inputs'])[:4]
        padded = data['inputs'].shape[2:]
        level_means = []
        for level in levels:
            rows, columns = -(-level.shape[2] * height // padded[0]), -(-level.shape[3] * width // padded[1])
            level_means.append(level[0, :, :rows, :columns].mean((1, 2)))
        points.append(torch.stack(level_means).mean(0))
    assert len(sizes) > 1
    # the borders differ still: convolutions look over the edge of an image
    expected = torch.stack(points).numpy()
    assert np.abs(clouds[3] - expected).mean() < 0.15 * np.abs(expected - expected.mean(0)).mean()


def test_ripsnet_of_these_clouds_serves_the_distillation(cfg):
    PersistenceImageRunner.from_cfg(cfg).run()
    RipsNetRunner.from_cfg(cfg).run()
    model = copy.deepcopy(cfg.model)
    torch.manual_seed(0)
    distiller = MODELS.build(model).train()
    assert distiller.losses.topology.vectorizer.module.in_channels == 16
    assert distiller.losses.topology.projection.weight.shape == (16, 32)
    losses = step(distiller, batch())
    assert losses['loss_topology'].isfinite() and losses['loss_kd'] > 0
    # a RipsNet of one teacher is refused by another
    torch.save(dict(state_dict=build(detector(classes=10), seed=1).state_dict()), model.teacher.checkpoint)
    with pytest.raises(ValueError, match="loss 'topology': its RipsNet was trained on the clouds of teacher 'tiny'"):
        MODELS.build(model)


@pytest.mark.parametrize('tap, cloud', [('neck[3]', 'SpatialCloud'), (['neck[0]', 'neck[1]'], 'RoICloud')])
def test_clouds_with_their_defaults_get_a_ripsnet_that_serves(cfg, tap, cloud):
    topology = cfg.model.losses.topology
    topology.cloud, topology.student_tap, topology.teacher_tap = dict(type=cloud), tap, None
    folder = PersistenceImageRunner.from_cfg(cfg).run()
    assert folder.endswith(f'n{dict(SpatialCloud=64, RoICloud=16)[cloud]}_h0_{cloud}')
    RipsNetRunner.from_cfg(cfg).run()
    losses = step(MODELS.build(copy.deepcopy(cfg.model)).train(), batch())
    assert losses['loss_topology'].isfinite()


def test_clouds_of_objects_have_their_own_folder(cfg):
    cfg.model.losses.topology.cloud = dict(type='RoICloud', num_points=6, images_per_cloud=4)
    folder = PersistenceImageRunner.from_cfg(cfg).run()
    assert folder == str(unloaded_loss(cfg).artifact('tiny').folder) and folder.endswith('n6_h0_RoICloud')
    assert np.load(f'{folder}/clouds.npy').shape == (8, 6, 16)
    assert read_manifest(folder)['request']['images_per_cloud'] == 4
