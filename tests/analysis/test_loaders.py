"""Loaders of a config's splits: which images, in which order, by which pipeline."""

import cv2
import numpy as np
import pytest
from image_folders import write_imagenet
from mmengine.config import Config

from topkd.analysis.loaders import cloud_loader, split_loader
from topkd.models import BatchCloud, RoICloud


@pytest.fixture
def folder_config(tmp_path):
    """Return a config of a small folder whose training pipeline turns images over, and the folder."""
    write_imagenet(tmp_path, ['a', 'b'])
    ends = dict(type='LoadImageFromFile'), dict(type='CenterCrop', crop_size=64), dict(type='PackInputs')
    turned = [*ends[:2], dict(type='RandomFlip', prob=1.0, direction='horizontal'), ends[2]]
    loaders = {
        f'{split}_dataloader': dict(
            batch_size=4,
            num_workers=0,
            sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=dict(type='topkd.ImageFolder', data_root=str(tmp_path), split=folder, pipeline=pipeline),
        )
        for split, folder, pipeline in (('train', 'train', turned), ('test', 'val', list(ends)))
    }
    return Config(loaders), tmp_path


def test_training_images_come_without_augmentation_unless_it_is_asked_for(folder_config):
    cfg, folder = folder_config
    for augment in (False, True):
        sample = split_loader(cfg, 'train', augment=augment).dataset[1]
        image = cv2.imread(sample['data_samples'].img_path)
        assert str(folder / 'train') in sample['data_samples'].img_path
        top, left = ((size - 64) // 2 for size in image.shape[:2])
        image = image[top : top + 64, left : left + 64]
        expected = image[:, ::-1] if augment else image
        np.testing.assert_array_equal(sample['inputs'].permute(1, 2, 0).numpy(), expected)
    assert [step.type for step in cfg.train_dataloader.dataset.pipeline][2] == 'RandomFlip'


def test_clouds_of_the_training_split_come_without_augmentation_except_those_of_boxes(folder_config):
    cfg, _ = folder_config
    steps = [
        [type(step).__name__ for step in cloud_loader(cfg, 'train', cloud, 0).dataset.pipeline.transforms]
        for cloud in (BatchCloud(2), RoICloud())
    ]
    assert 'RandomFlip' not in steps[0] and 'RandomFlip' in steps[1]


def test_the_order_is_of_the_seed(digits_config):
    cfg = digits_config('topkd/resnet20-resnet8_digits_exact.py')
    assert cfg.randomness.seed == 0
    first = [
        next(iter(split_loader(cfg, 'train', **options)))['inputs'] for options in ({}, dict(seed=0), dict(seed=1))
    ]
    assert first[0].equal(first[1]) and not first[0].equal(first[2])
