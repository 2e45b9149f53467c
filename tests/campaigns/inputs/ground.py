"""The small valid world that every malformed input is made from: configs, data, checkpoints, an artifact."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from topkd.utils.checkpoint import save_file
from topkd.utils.config import merge_cfg_options

from ...image_folders import write_cifar100
from ..processes import ROOT, run

CONFIGS = ROOT / 'configs'
SMALL = {
    'train_cfg.max_epochs': 1,
    'train_dataloader.dataset.indices': 64,
    'val_dataloader.dataset.indices': 32,
    'test_dataloader.dataset.indices': 32,
    'train_dataloader.batch_size': 16,
}
CLOUDS = {
    'model.losses.topology.cloud.num_points': 8,
    'clouds': dict(num_clouds=16, seed=0),
    'ripsnet': dict(max_epochs=2, batch_size=4, log_interval=500),
}
# valid calls by name: tool and arguments
CALLS: dict[str, tuple[str, list[str]]] = {
    'plain': ('train.py', ['plain.py', '--work-dir', 'run']),
    'kd': ('train.py', ['kd.py', '--work-dir', 'run']),
    'exact': ('train.py', ['exact.py', '--work-dir', 'run']),
    'topkd': ('train.py', ['topkd.py', '--work-dir', 'run']),
    'cifar': ('train.py', ['cifar.py', '--work-dir', 'run']),
    'scenes': ('train.py', ['scenes.py', '--work-dir', 'run']),
    'cohort': ('train.py', ['cohort.py', '--work-dir', 'run']),
    'probe': ('train.py', ['probe.py', '--work-dir', 'run']),
    'resume': ('train.py', ['longer.py', '--work-dir', 'run', '--resume', 'run/epoch_1.pth']),
    'gen_pi': ('gen_pi.py', ['fresh.py']),
    'gen_pi_again': ('gen_pi.py', ['topkd.py']),
    'train_ripsnet': ('train_ripsnet.py', ['untrained.py']),
    'test': ('test.py', ['plain.py', 'plain.pth']),
    'test_student': ('test.py', ['exact.py', 'distilled.pth']),
    'export': ('export_student.py', ['exact.py', 'distilled.pth', 'out.pth']),
    'convert': ('convert_checkpoint.py', ['benchmark.pth', 'out.pth']),
    'diagram': ('analysis/diagram.py', ['cloud.npy', '--out', 'figures']),
    'scenes_data': ('make_digit_scenes.py', ['made', '--train', '2', '--val', '1']),
    'history': ('analysis/gradient_ratio.py', ['exact=logged', '--out', 'figures']),
    'bottleneck': ('analysis/bottleneck.py', ['exact.py', 's=distilled.pth', '--batches', '1', '--out', 'figures']),
    'compare': ('compare.py', ['plain.py:plain.pth', '--repeats', '1', '--batch-sizes', '1', '--out', 'compared']),
    'taps': ('taps.py', ['kd.py']),
    'voc': ('convert_detection.py', ['voc']),
    'yolo': ('convert_detection.py', ['yolo']),
    'plan': ('reproduce.py', ['table6', '--pairs', 'topkd.py', '--seeds', '1', '--dry-run']),
}


def make_ground(folder: Path) -> None:
    """Write everything that the calls need.

    Args:
        folder (Path): To be made.

    Raises:
        RuntimeError: If a call that only prepares something fails.
    """
    folder.mkdir(parents=True)
    init_default_scope('mmpretrain')
    _configs(folder)
    for seed, (name, config) in enumerate(dict(teacher='resnet20', plain='resnet8').items()):
        torch.manual_seed(seed)
        network = MODELS.build(Config.fromfile(CONFIGS / 'baselines' / f'{config}_digits.py').model)
        save_file(dict(state_dict=network.state_dict(), meta=dict(epoch=1)), str(folder / f'{name}.pth'))
    write_cifar100(folder / 'data' / 'cifar100' / 'cifar-100-python')
    _scenes(folder / 'data' / 'digit_scenes')
    np.save(folder / 'cloud.npy', np.random.default_rng(0).normal(size=(12, 3)))
    _voc(folder / 'voc', folder / 'data' / 'digit_scenes' / 'train')
    _yolo(folder / 'yolo', folder / 'data' / 'digit_scenes' / 'train')
    _benchmark_checkpoint(folder)
    _prepare(folder, 'gen_pi.py', ['topkd.py'])
    artifact = next((folder / 'work_dirs' / 'ripsnet').iterdir())
    shutil.copytree(artifact, folder / 'work_dirs' / 'untrained')
    _prepare(folder, 'train_ripsnet.py', ['topkd.py'])
    _prepare(folder, 'train.py', ['exact.py', '--work-dir', 'first'])
    (folder / 'first' / 'epoch_1.pth').rename(folder / 'distilled.pth')
    log = next((folder / 'first').glob('*/vis_data/scalars.json'))
    shutil.copytree(log.parent, folder / 'logged' / 'start' / log.parent.name)
    (folder / 'logged' / 'start' / log.parent.name / 'config.py').unlink(missing_ok=True)
    shutil.rmtree(folder / 'first')
    _prepare(folder, 'train.py', ['plain.py', '--work-dir', 'run'])


def _configs(folder: Path) -> None:
    def write(name: str, source: str, **options: object) -> None:
        cfg = Config.fromfile(CONFIGS / source)
        if 'teacher' in cfg.model:
            cfg.model.teacher.update(checkpoint='teacher.pth', floor=None)
        cfg.merge_from_dict({**SMALL, **options})
        for unread in ('losses', 'teacher', 'distillation_hooks'):
            cfg.pop(unread, None)
        cfg.dump(str(folder / f'{name}.py'))

    write('plain', 'baselines/resnet8_digits.py')
    write('longer', 'baselines/resnet8_digits.py', **{'train_cfg.max_epochs': 2})
    write('cohort', 'cohorts/resnet20-resnet8_digits.py', **{'train_dataloader.batch_size': 64})
    probe = dict(
        type='topkd.LinearProbe',
        featurizer=dict(config='plain.py', checkpoint='plain.pth'),
        head=dict(type='LinearClsHead', num_classes=10, loss=dict(type='CrossEntropyLoss', loss_weight=1.0)),
    )
    write('probe', 'baselines/resnet8_digits.py', model=dict(probe, _delete_=True))
    write('kd', 'kd/resnet20-resnet8_digits.py')
    write('exact', 'topkd/resnet20-resnet8_digits_exact.py', **{'model.losses.topology.cloud.num_points': 8})
    write('topkd', 'topkd/resnet20-resnet8_digits.py', **CLOUDS)
    write('fresh', 'topkd/resnet20-resnet8_digits.py', **{**CLOUDS, 'model.losses.topology.cloud.num_points': 4})
    untrained = {'model.losses.topology.vectorizer.checkpoint': 'work_dirs/untrained/ripsnet.pth'}
    write('untrained', 'topkd/resnet20-resnet8_digits.py', **CLOUDS, **untrained)
    write('cifar', 'baselines/resnet8x4_cifar100.py', **{'val_dataloader.dataset.indices': 8})
    scenes = Config.fromfile(CONFIGS / 'baselines' / 'faster-rcnn_r18w16_digit-scenes.py')
    merge_cfg_options(scenes, None)
    scenes.merge_from_dict({'train_cfg.max_epochs': 1, 'train_cfg.val_interval': 1, 'train_dataloader.batch_size': 2})
    scenes.dump(str(folder / 'scenes.py'))


def _scenes(folder: Path) -> None:
    random = np.random.default_rng(0)
    (folder / 'annotations').mkdir(parents=True)
    names = ('zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine')
    for split in ('train', 'val'):
        (folder / split).mkdir()
        for number in (1, 2):
            pixels = random.integers(0, 256, (64, 64, 3), dtype=np.uint8)
            cv2.imwrite(str(folder / split / f'{number}.jpg'), pixels)
        content = dict(
            images=[dict(id=i, file_name=f'{i}.jpg', width=64, height=64) for i in (1, 2)],
            annotations=[
                dict(id=i, image_id=i, category_id=i, bbox=[4 * i, 5, 20, 30], area=600, iscrowd=0) for i in (1, 2)
            ],
            categories=[dict(id=i, name=name) for i, name in enumerate(names, 1)],
        )
        (folder / 'annotations' / f'instances_{split}.json').write_text(json.dumps(content))


def _voc(folder: Path, images: Path) -> None:
    for name in ('Annotations', 'JPEGImages', 'ImageSets/Main'):
        (folder / name).mkdir(parents=True)
    box = '<bndbox><xmin>5</xmin><ymin>6</ymin><xmax>20</xmax><ymax>30</ymax></bndbox>'
    size = '<size><width>64</width><height>64</height><depth>3</depth></size>'
    for number, split in enumerate(('train', 'val'), 1):
        shutil.copy(images / f'{number}.jpg', folder / 'JPEGImages')
        (folder / 'Annotations' / f'{number}.xml').write_text(
            f'<annotation><filename>{number}.jpg</filename>{size}<object><name>cat</name>{box}</object></annotation>'
        )
        (folder / 'ImageSets' / 'Main' / f'{split}.txt').write_text(f'{number}\n')


def _yolo(folder: Path, images: Path) -> None:
    for number, split in enumerate(('train', 'val'), 1):
        for name in ('images', 'labels'):
            (folder / name / split).mkdir(parents=True)
        shutil.copy(images / f'{number}.jpg', folder / 'images' / split)
        (folder / 'labels' / split / f'{number}.txt').write_text('0 0.5 0.5 0.2 0.2\n')
    (folder / 'data.yaml').write_text('train: images/train\nval: images/val\nnames: [cat]\n')


def _benchmark_checkpoint(folder: Path) -> None:
    """Write weights as the CRD benchmark's repositories do."""
    from topkd.models.backbones.networks import benchmark_key

    cfg = Config.fromfile(CONFIGS / 'baselines' / 'resnet8x4_cifar100.py')
    weights = MODELS.build(cfg.model).state_dict()
    renamed = {benchmark_key('CIFARResNet', key): value for key, value in weights.items()}
    torch.save(dict(model=renamed, best_acc=70.0), folder / 'benchmark.pth')


def _prepare(folder: Path, tool: str, arguments: list[str]) -> None:
    finished = run(folder, tool, arguments)
    if finished.codes != (0,):
        raise RuntimeError(f'{tool} {" ".join(arguments)} failed on valid input: {finished.output[-600:]}')
