"""Small trainings and artifacts of every kind, each written as files that the tools read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from topkd.models.teacher import Teacher
from topkd.utils.checkpoint import save_file

from .processes import ROOT, run

CONFIG = 'config.py'
EPOCHS = 3


class Scenario(NamedTuple):
    """A tool's run that can be killed and repeated.

    Attributes:
        write: Fills a folder with all that the run needs.
        tool: File of ``tools/``.
        arguments: Behind the config.
        again: Further arguments of the call that goes on after a kill.
        ranks: Processes.
        long: Whether it takes too long for the suite.
    """

    write: Callable[[Path], None]
    tool: str = 'train.py'
    arguments: tuple[str, ...] = ('--work-dir', 'work')
    again: tuple[str, ...] = ('--resume',)
    ranks: int = 1
    long: bool = True


def digits(name: str, **options: Any) -> Config:
    """Read a config of scikit-learn's digits, with few images and epochs and with augmentation."""
    cfg = Config.fromfile(ROOT / 'configs' / name)
    cfg.train_dataloader.dataset.indices = 72
    cfg.train_dataloader.batch_size = 16
    cfg.val_dataloader.dataset.indices = cfg.test_dataloader.dataset.indices = 40
    cfg.data_preprocessor.update(crop_padding=1, flip_prob=0.5)
    cfg.merge_from_dict(
        {
            'train_cfg.max_epochs': EPOCHS,
            'default_hooks.logger.interval': 2,
            'default_hooks.checkpoint.max_keep_ckpts': 1,
            'launcher': 'none',
            **options,
        }
    )
    return cfg


def dump(cfg: Config, folder: Path) -> None:
    """Write a config, and a teacher of random weights if it has one."""
    if 'teacher' in cfg.model:
        init_default_scope(cfg.default_scope)
        torch.manual_seed(1)
        teacher = Teacher(**dict(cfg.model.teacher, checkpoint=None)).module
        save_file(dict(state_dict=teacher.state_dict()), str(folder / 'teacher.pth'))
        cfg.model.teacher.update(checkpoint='teacher.pth', floor=None)
    cfg.dump(folder / CONFIG)


def pair(name: str, **options: Any) -> Config:
    """Read a pair of digits whose teacher is as small as its student."""
    return digits(name, **{'model.teacher.model.backbone.depth': 8, **options})


def plain(folder: Path) -> None:
    """A plain network."""
    dump(digits('baselines/resnet8_digits.py'), folder)


def early(folder: Path) -> None:
    """A plain network whose training stops before its last epoch, because its validations do not improve."""
    cfg = digits('baselines/resnet8_digits.py', **{'train_cfg.max_epochs': 6})
    cfg.custom_hooks = [dict(type='EarlyStoppingHook', monitor='accuracy/top1', min_delta=1000, patience=3)]
    dump(cfg, folder)


def distilled(folder: Path) -> None:
    """KD and the exact topology term, whose range is still being fitted; gradients accumulate over checkpoints."""
    cfg = pair('topkd/resnet20-resnet8_digits_exact.py', **{'model.losses.topology.cloud.num_points': 16})
    cfg.model.losses.topology.vectorizer.fit_batches = 7
    cfg.model.gradient_interval = 3
    cfg.optim_wrapper.update(accumulative_counts=3, clip_grad=dict(max_norm=5.0))
    dump(cfg, folder)


def averaged(folder: Path) -> None:
    """KD with an exponential moving average of the weights, its buffers too."""
    cfg = pair('kd/resnet20-resnet8_digits.py')
    cfg.custom_hooks.append(dict(type='EMAHook', momentum=0.3, update_buffers=True))
    dump(cfg, folder)


def cohort(folder: Path) -> None:
    """Five students of one teacher."""
    cfg = pair('cohorts/resnet20-resnet8_digits.py')
    for member in cfg.model.members.values():
        if 'topology' in member.losses:
            member.losses.topology.cloud.num_points = 16
    dump(cfg, folder)


def contrastive(folder: Path) -> None:
    """CRD, whose memory of all images changes in every step."""
    cfg = pair('kd/resnet20-resnet8_digits.py')
    cfg.model.losses = dict(crd=dict(type='topkd.CRDLoss', num_negatives=8, loss_weight=0.8))
    dump(cfg, folder)


def probe(folder: Path) -> None:
    """A linear classifier on frozen features."""
    model = Config.fromfile(ROOT / 'configs/baselines/resnet8_digits.py')
    init_default_scope('mmpretrain')
    torch.manual_seed(2)
    featurizer = MODELS.build(dict(model.model, data_preprocessor=model.data_preprocessor))
    save_file(dict(state_dict=featurizer.state_dict()), str(folder / 'features.pth'))
    model.dump(folder / 'features.py')
    cfg = digits('baselines/resnet8_digits.py')
    cfg.model = dict(
        type='topkd.LinearProbe',
        featurizer=dict(config='features.py', checkpoint='features.pth'),
        head=dict(type='LinearClsHead', num_classes=10, loss=dict(type='CrossEntropyLoss', loss_weight=1.0)),
    )
    dump(cfg, folder)


def folders(folder: Path, workers: int = 2, loop: dict | None = None) -> None:
    """Images in folders, cropped, flipped and recolored by mmpretrain in worker processes."""
    random = np.random.default_rng(0)
    for split, count in (('train', 9), ('val', 4)):
        for label in 'abc':
            (folder / 'data' / split / label).mkdir(parents=True)
            for number in range(count):
                image = random.integers(0, 256, (20, 24, 3), dtype=np.uint8)
                cv2.imwrite(str(folder / 'data' / split / label / f'{number}.png'), image)
    cfg = digits('baselines/resnet8_digits.py')
    pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='RandomResizedCrop', scale=16),
        dict(type='RandomFlip', prob=0.5, direction='horizontal'),
        dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4),
        dict(type='PackInputs'),
    ]
    steady = [dict(type='LoadImageFromFile'), dict(type='CenterCrop', crop_size=16), dict(type='PackInputs')]
    cfg.data_preprocessor = dict(type='ClsDataPreprocessor', mean=[127.0] * 3, std=[60.0] * 3, to_rgb=True)
    for split, steps, batch in (('train', pipeline, 6), ('val', steady, 12)):
        cfg[f'{split}_dataloader'] = dict(
            batch_size=batch,
            num_workers=workers if split == 'train' else 0,
            persistent_workers=split == 'train' and workers > 0,
            drop_last=False,
            dataset=dict(type='topkd.ImageFolder', data_root='data', split=split, pipeline=steps),
            sampler=dict(type='DefaultSampler', shuffle=split == 'train'),
        )
    cfg.test_dataloader = cfg.val_dataloader
    if loop is not None:
        cfg.train_cfg = loop
        cfg.train_dataloader.sampler = dict(type='InfiniteSampler', shuffle=True)
        cfg.default_hooks.checkpoint.update(by_epoch=False, interval=4)
        cfg.log_processor = dict(by_epoch=False)
        cfg.param_scheduler = dict(type='MultiStepLR', by_epoch=False, milestones=[5, 9], gamma=0.1)
        cfg.optim_wrapper.update(accumulative_counts=3)
    dump(cfg, folder)


def iterations(folder: Path) -> None:
    """The same counted in steps, saved and validated at different ones, gradients accumulated over checkpoints."""
    folders(folder, loop=dict(type='IterBasedTrainLoop', max_iters=11, val_interval=3))


def detector(folder: Path) -> None:
    """A distilled detector on scenes that are resized and flipped at random in worker processes."""
    call = ['--train', '10', '--val', '4', '--size', '64', 'data']
    finished = run(folder, 'make_digit_scenes.py', call)
    if finished.codes != (0,):
        raise RuntimeError(f'make_digit_scenes.py failed: {finished.output}')
    cfg = Config.fromfile(ROOT / 'configs/kd/faster-rcnn_r18w32-r18w16_digit-scenes.py')
    cfg.train_dataloader.update(batch_size=2, num_workers=2)
    cfg.train_dataloader.pop('drop_last')
    cfg.train_dataloader.batch_sampler = dict(type='AspectRatioBatchSampler', drop_last=True)
    cfg.train_dataloader.dataset.pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations', with_bbox=True),
        dict(type='RandomResize', scale=[(64, 64), (96, 96)], keep_ratio=True),
        dict(type='RandomFlip', prob=0.5),
        dict(type='PackDetInputs'),
    ]
    cfg.val_dataloader.batch_size = 2
    cfg.data_root = 'data'
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset.data_root = 'data'
    cfg.val_evaluator.ann_file = cfg.test_evaluator.ann_file = 'data/annotations/instances_val.json'
    cfg.merge_from_dict({'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 1, 'launcher': 'none'})
    cfg.default_hooks.checkpoint.update(max_keep_ckpts=1, save_best='coco/bbox_mAP', rule='greater')
    cfg.pop('work_dir', None)
    dump(cfg, folder)


def artifact_config(folder: Path) -> None:
    """Clouds of 16 digits, their images, and a RipsNet."""
    cfg = pair('topkd/resnet20-resnet8_digits.py', **{'model.losses.topology.cloud.num_points': 16})
    cfg.clouds = dict(num_clouds=24, chunk=5)
    cfg.ripsnet = dict(max_epochs=4, batch_size=4, patience=50)
    cfg.model.losses.topology.vectorizer.checkpoint = 'artifact/ripsnet.pth'
    dump(cfg, folder)


def finished_clouds(folder: Path) -> None:
    """The same with its clouds made."""
    artifact_config(folder)
    finished = run(folder, 'gen_pi.py', [CONFIG])
    if finished.codes != (0,):
        raise RuntimeError(f'gen_pi.py failed: {finished.output}')


SCENARIOS: dict[str, Scenario] = {
    'gen_pi': Scenario(artifact_config, 'gen_pi.py', (), (), long=False),
    'train_ripsnet': Scenario(finished_clouds, 'train_ripsnet.py', (), (), long=False),
    'plain': Scenario(plain, long=False),
    'early': Scenario(early),
    'distilled': Scenario(distilled, long=False),
    'averaged': Scenario(averaged),
    'contrastive': Scenario(contrastive),
    'cohort': Scenario(cohort),
    'probe': Scenario(probe, long=False),
    'folders': Scenario(folders, long=False),
    'iterations': Scenario(iterations),
    'detector': Scenario(detector),
    'two processes': Scenario(distilled, ranks=2),
    'cohort in two processes': Scenario(cohort, ranks=2),
    'gen_pi in two processes': Scenario(artifact_config, 'gen_pi.py', (), (), ranks=2),
}
