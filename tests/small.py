"""Small models and batches that many tests share."""

import copy

import torch
from mmengine.registry import MODELS


def classifier(width: int = 8, classes: int = 10) -> dict:
    """Return the config of a small classifier whose last stage has 4 * width channels."""
    return dict(
        type='mmpretrain.ImageClassifier',
        backbone=dict(type='topkd.CIFARResNet', depth=8, channels=(width, width, 2 * width, 4 * width)),
        neck=dict(type='mmpretrain.GlobalAveragePooling'),
        head=dict(type='mmpretrain.LinearClsHead', num_classes=classes, in_channels=4 * width),
        data_preprocessor=dict(type='topkd.ImageBatchPreprocessor', mean=[127.5] * 3, std=[127.5] * 3),
    )


def distiller(student_width: int = 4, **changes) -> dict:
    """Return the config of a small distiller with both losses, the exact image in the topology term."""
    config = dict(
        type='topkd.Distiller',
        student=classifier(student_width),
        teacher=dict(name='small', model=classifier(8), checkpoint=None),
        losses=dict(
            kd=dict(type='KDLoss', tau=4.0, loss_weight=2.0),
            topology=dict(
                type='TopologyLoss',
                loss_weight=5.0,
                cloud=dict(type='BatchCloud', num_points=8),
                vectorizer=dict(type='RipsImage', fit_batches=2),
            ),
        ),
        probe_shape=(3, 16, 16),
    )
    config.update(changes)
    return config


def build(config: dict):
    """Build a model, whatever is prefixed in it, from a copy of its config."""
    return MODELS.build(copy.deepcopy(config))


def batch(count: int = 8, size: int = 16, classes: int = 10, seed: int = 0) -> dict:
    """Return a batch as the in-memory data sets make it."""
    generator = torch.Generator().manual_seed(seed)
    return dict(
        inputs=torch.randint(0, 256, (count, 3, size, size), generator=generator, dtype=torch.uint8),
        gt_label=torch.randint(0, classes, (count,), generator=generator),
    )
