"""A pair built from a config, its loaders, and what its two networks show."""

import cv2
import numpy as np
import pytest
import torch
from image_folders import write_imagenet
from mmengine.config import Config
from small import batch, classifier, distiller

from topkd.analysis.loaders import build_pair, split_loader
from topkd.analysis.trained_students import cloud_loader, network_clouds, network_features
from topkd.models import BatchCloud, RoICloud


def test_features_and_clouds_are_those_of_the_networks():
    torch.manual_seed(0)
    model = build_pair(Config(dict(model=distiller(student_width=4))))
    assert not model.training
    model.student.init_weights()
    batches = [batch(16, seed=seed) for seed in range(3)]
    loss, students = model.losses.topology, dict(student=model.student)
    found = list(network_features(model, students, loss, batches, limit=2))
    with torch.no_grad():
        inputs = model.data_preprocessor(batches[1], False)['inputs']
        student, teacher = model.student.extract_feat(inputs)[0], model.teacher.module.extract_feat(inputs)[0]
    assert len(found) == 2
    torch.testing.assert_close(found[1].features['student'], student)
    torch.testing.assert_close(found[1].features['teacher'], teacher)
    assert torch.stack([sample.gt_label[0] for sample in found[1].data_samples]).equal(batches[1]['gt_label'])
    clouds = network_clouds(loss, dict(student=loss.projection), found[1])
    torch.testing.assert_close(clouds['student'], loss.projection(student).reshape(2, 8, 32))
    torch.testing.assert_close(clouds['teacher'], teacher.reshape(2, 8, 32))


def test_a_plain_config_is_no_pair():
    with pytest.raises(KeyError, match='no teacher: name a distillation config'):
        build_pair(Config(dict(model=classifier())))


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
