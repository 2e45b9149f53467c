"""Configs of detectors on own data; docs/tutorials/own-detection-data.md is run from a folder to an exported student."""

import shutil
import sys
from pathlib import Path

import pytest
from own_detection_data import voc, yolo

from topkd.command.coco_folder import coco_folder
from topkd.command.new_baseline import new_baseline
from topkd.command.new_pair import new_pair
from topkd.datasets.conversion import convert_detection
from topkd.utils.config import read_config

STUDENT, TEACHER = (f'topkd::baselines/retinanet_r18w{width}_digit-scenes.py' for width in (16, 32))
FASTER = 'topkd::baselines/faster-rcnn_r18w16_digit-scenes.py'


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Return a function that calls a command in an empty folder, and returns what it printed."""
    monkeypatch.chdir(tmp_path)

    def call(command, *arguments: str) -> tuple:
        monkeypatch.setattr(sys, 'argv', ['x', *map(str, arguments)])
        try:
            command()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        return (code, *capsys.readouterr())

    return call


@pytest.mark.parametrize(
    'student, teacher, kd',
    [(FASTER, FASTER.replace('r18w16', 'r18w32'), 'KDLoss'), (STUDENT, TEACHER, 'topkd.DenseKDLoss')],
)
def test_pair_of_other_classes_on_own_data(run, tmp_path, student, teacher, kd):
    convert_detection(yolo(tmp_path / 'mine'))
    code, _, err = run(new_pair, student, teacher, '--data', 'mine', '--out', 'pair.py')
    assert code == 0, err
    cfg = read_config('pair.py')
    head = cfg.model.student.get('roi_head', cfg.model.student).bbox_head
    assert head.num_classes == 2 and list(cfg.model.teacher.cfg_options.values()) == [2]
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.data_root == 'mine' and loader.dataset.metainfo.classes == ('cat', 'dog')
    assert cfg.train_dataloader.batch_size == 8 and cfg.train_dataloader.drop_last
    assert cfg.val_evaluator.ann_file == 'mine/annotations/instances_val.json'
    assert cfg.model.losses.kd.type == kd
    assert [hook.type.removeprefix('topkd.') for hook in cfg.custom_hooks] == [
        'CategoryCheckHook',
        'StudentCheckpointHook',
        'ResultHook',
    ]


@pytest.mark.parametrize(
    'base, sampler, hook',
    [
        ('mmdet::retinanet/retinanet_r18_fpn_1x_coco.py', True, 'topkd.CategoryCheckHook'),
        ('mmdet::yolox/yolox_tiny_8xb8-300e_coco.py', False, 'topkd.YOLOXSwitchHook'),
    ],
)
def test_configs_of_mmdet(run, tmp_path, base, sampler, hook):
    convert_detection(yolo(tmp_path / 'mine'))
    code, out, err = run(new_baseline, base, '--data', 'mine', '--out', 'own.py')
    assert code == 0, err
    cfg = read_config('own.py')
    dataset = cfg.train_dataloader.dataset.get('dataset', cfg.train_dataloader.dataset)
    assert dataset.ann_file == 'annotations/instances_train.json' and dataset.data_prefix == dict(img='')
    assert cfg.model.bbox_head.num_classes == 2
    assert ('batch_sampler' in cfg.train_dataloader) == sampler
    assert sampler == ('drop_last' not in cfg.train_dataloader)
    assert hook in [item.type for item in cfg.custom_hooks]
    code, out, err = run(new_pair, 'own.py', 'own.py', '--loss', 'exact', '--out', 'pair.py')
    assert code == 0, err
    levels = 3 if 'yolox' in base else 5
    losses = read_config('pair.py').model.losses
    assert len(losses.topology.student_tap) == levels and losses.kd.get('objectness', False) == (levels == 3)
    assert run(new_pair, 'own.py', 'own.py', '--loss', 'pkd', '--out', 'pkd.py')[0] == 0


def test_images_in_folders_of_their_own(tmp_path):
    root = yolo(tmp_path / 'mine')
    convert_detection(root)
    for split in ('train', 'val'):
        path = root / 'annotations' / f'instances_{split}.json'
        path.write_text(path.read_text().replace(f'images/{split}/', ''))
    found = coco_folder(str(root))
    assert (found.train.images, found.val.images) == ('images/train/', 'images/val/')
    assert found.classes == ('cat', 'dog')


def broken(change, *, convert: bool = True):
    """Return a function that makes a folder and spoils it."""

    def make(root: Path) -> None:
        yolo(root)
        if convert:
            convert_detection(root)
        change(root)

    return make


@pytest.mark.parametrize(
    'make, message',
    [
        (lambda root: None, "there is no folder '.*mine': name the folder of the data by --data"),
        (broken(lambda root: None, convert=False), r"no json of the split 'train' .* by topkd convert-detection"),
        (
            broken(
                lambda root: shutil.copy(
                    root / 'annotations/instances_val.json', root / 'annotations/instances_val2.json'
                )
            ),
            "one json of the split 'val' is expected .* got instances_val.json, instances_val2.json",
        ),
        (
            broken(lambda root: shutil.rmtree(root / 'images')),
            "first image of '.*', 'images/train/a.png', is in no folder",
        ),
        (
            broken(
                lambda root: (root / 'annotations/instances_val.json').write_text(
                    (root / 'annotations/instances_val.json').read_text().replace('dog', 'cow')
                )
            ),
            'must list the same classes in the same order, got cat, dog and cat, cow',
        ),
    ],
)
def test_folders_that_are_no_data_set(tmp_path, make, message):
    make(tmp_path / 'mine')
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        coco_folder(str(tmp_path / 'mine'))


def test_networks_that_cannot_be_moved_to_own_data(run, tmp_path):
    convert_detection(voc(tmp_path / 'mine'))
    code, _, err = run(new_baseline, 'topkd::baselines/resnet8_digits.py', '--data', 'mine')
    assert code == 1 and 'must be the config of a detector with a box head, got the model ImageClassifier' in err
    code, _, err = run(new_baseline, 'mmdet::cascade_rcnn/cascade-rcnn_r50_fpn_1x_coco.py', '--data', 'mine')
    assert code == 1 and 'got none or several (a cascade): write its config by hand' in err
