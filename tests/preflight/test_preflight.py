"""What is missing is said at once, before anything is downloaded or built."""

import shutil
from collections import namedtuple
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from topkd.datasets import cifar100
from topkd.models.losses.topology_configs import topology_artifact
from topkd.preflight import check_run, types
from topkd.preflight.findings import Findings
from topkd.preflight.names import check_names
from topkd.preflight.networks import check_checkpoint
from topkd.preflight.room import bytes_of_training
from topkd.preflight.run import look
from topkd.preflight.structure import check_structure
from topkd.utils.disk import check_room


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path):
    """Work in an empty folder on a machine without a network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    for module in ('topkd.preflight.networks', 'topkd.datasets.cifar100'):
        monkeypatch.setattr(f'{module}.is_reachable', lambda *args: False)


def read(name: str, root) -> Config:
    cfg = Config.fromfile(root / 'configs' / name)
    cfg.work_dir = 'work'
    return cfg


def listed(cfg: Config, task: str) -> list[str]:
    with pytest.raises(ValueError) as error:
        check_run(cfg, task)
    return [line.strip() for line in str(error.value).splitlines()]


def test_a_detector_lists_everything_in_order(pytestconfig, tmp_path):
    found = listed(read('topkd/faster-rcnn_r101-r18_coco.py', pytestconfig.rootpath), 'train')
    assert found[0] == '7 things are missing or wrong, to be mended in this order:'
    wanted = [
        "1. annotation file 'data/coco/annotations/instances_train2017.json' does not exist",
        "2. image folder 'data/coco/train2017/' does not exist",
        "3. annotation file 'data/coco/annotations/instances_val2017.json' does not exist",
        "4. image folder 'data/coco/val2017/' does not exist",
        "5. teacher 'faster-rcnn_r101_coco': checkpoint 'https://",
        "6. 'model.student.backbone': checkpoint 'torchvision://resnet18' was not downloaded yet",
        "7. RipsNet 'work_dirs/ripsnet/faster-rcnn_r101_coco_neck-0-neck-1-neck-2-neck-3_n8_h0/ripsnet.pth' does not",
    ]
    assert all(line.startswith(start) for line, start in zip(found[1:], wanted, strict=False))
    assert f"put it at '{tmp_path}/hub/checkpoints/faster_rcnn_r101" in found[5]
    assert found[8:10] == ['python tools/gen_pi.py CONFIG', 'python tools/train_ripsnet.py CONFIG']


def test_each_tool_asks_for_what_it_reads(pytestconfig):
    cfg = read('topkd/resnet56-resnet20_cifar100.py', pytestconfig.rootpath)
    data, teacher = 'expected the files train, test and meta of CIFAR-100', "teacher 'resnet56_cifar100': checkpoint"
    for task, starts in dict(train=[data, teacher, 'RipsNet'], gen_pi=[data, teacher]).items():
        found = [line.split('. ', 1)[1] for line in listed(cfg, task) if line[:1].isdigit() and '. ' in line[:3]]
        assert [line.startswith(start) for line, start in zip(found, starts, strict=True)] == [True] * len(starts)
    found = listed(cfg, 'train_ripsnet')
    assert found[0].startswith('3 things') and data in found[1] and teacher in found[2]
    assert 'holds no clouds: run tools/gen_pi.py CONFIG first' in found[-1]
    assert data in listed(cfg, 'test')[0] and len(listed(cfg, 'test')) == 1


def test_what_can_be_downloaded_is_no_obstacle(pytestconfig, monkeypatch):
    monkeypatch.setattr(cifar100, 'is_reachable', lambda *args: True)
    check_run(read('baselines/resnet20_cifar100.py', pytestconfig.rootpath), 'train')


def test_a_digits_baseline_needs_nothing(pytestconfig):
    check_run(read('baselines/resnet8_digits.py', pytestconfig.rootpath), 'train')


@pytest.mark.parametrize(
    'options, message',
    [
        ({'train_cfg.max_epochs': 0}, 'train_cfg.max_epochs must be 1 or more, got 0'),
        (
            {'train_dataloader.batch_size': 2.5},
            'train_dataloader.batch_size must be a whole number, 1 or more, got 2.5',
        ),
        ({'log_level': 'loud'}, "log_level must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL, got 'LOUD'"),
        ({'optim_wrapper.optimizer.type': 'Foo'}, "optim_wrapper.optimizer has the unknown type 'Foo'"),
        ({'optim_wrapper.optimizer.type': ''}, "optim_wrapper.optimizer has the unknown type ''"),
        ({'randomness.seed': -1}, 'randomness.seed must be from 0 to 4294967295, got -1'),
        ({'optim_wrapper.optimizer.lr': float('inf')}, 'optim_wrapper.optimizer.lr must be a finite number, got inf'),
        ({'data_preprocessor.flip_prob': float('nan')}, 'data_preprocessor.flip_prob must be a finite number, got nan'),
        ({'load_from': 'nope.pth'}, "load_from: checkpoint 'nope.pth' does not exist"),
        ({'load_from': 'gs://a/b.pth'}, "'gs://a/b.pth' has the unknown scheme 'gs'"),
        ({'train_dataloader.dataset.type': 'Foo'}, "the data set 'Foo' is unknown"),
        ({'train_dataloader': None}, "the config has no 'train_dataloader', which is needed here"),
    ],
)
def test_settings(pytestconfig, options, message):
    cfg = read('baselines/resnet8_digits.py', pytestconfig.rootpath)
    cfg.merge_from_dict(options)
    with pytest.raises(ValueError, match=message):
        check_run(cfg, 'train')


def test_clouds_and_batches(pytestconfig):
    cfg = read('topkd/resnet20-resnet8_digits_exact.py', pytestconfig.rootpath)
    cfg.model.teacher.checkpoint = None
    check_run(cfg, 'train')
    cfg.train_dataloader.batch_size = 100
    with pytest.raises(ValueError, match="loss 'topology': a cloud needs 64 points, got a batch of 100 images"):
        check_run(cfg, 'train')
    cfg.model.losses.topology.cloud.num_points = 1
    with pytest.raises(ValueError, match=r'model.losses.topology.cloud \(BatchCloud\): num_points must be 2 or more'):
        check_run(cfg, 'train')


def test_checkpoints_by_address(tmp_path):
    address = 'https://a.b/c.pth'
    with pytest.raises(FileNotFoundError, match="t: checkpoint .* fetch it where .* put it at '.*/checkpoints/c.pth'"):
        check_checkpoint(address, 't', 'model.teacher.checkpoint')
    (tmp_path / 'hub' / 'checkpoints').mkdir(parents=True)
    (tmp_path / 'hub' / 'checkpoints' / 'c.pth').write_bytes(b'')
    check_checkpoint(address, 't', 'model.teacher.checkpoint')


def test_a_folder_is_no_checkpoint(pytestconfig, tmp_path):
    cfg = read('baselines/resnet8_digits.py', pytestconfig.rootpath)
    (tmp_path / 'old').mkdir()
    cfg.merge_from_dict(dict(load_from='old', resume=True))
    with pytest.raises(ValueError, match="--resume: checkpoint 'old' is a folder, a file was expected: .* by --resume"):
        check_run(cfg, 'train')


def test_room(monkeypatch, tmp_path):
    check_room(tmp_path / 'a' / 'b')
    monkeypatch.setattr(shutil, 'disk_usage', lambda path: namedtuple('Usage', 'free')(2**20))
    with pytest.raises(OSError, match="the disk of '.*/a/b' has 1 MiB left, this run needs 64 MiB or more"):
        check_room(tmp_path / 'a' / 'b')
    (tmp_path / 'file').write_text('')
    monkeypatch.undo()
    with pytest.raises(OSError, match='cannot be made or written to'):
        check_room(tmp_path / 'file' / 'b')


def test_a_problem_is_said_once():
    findings = Findings()
    for _ in range(2):
        assert findings.look(int, 'a') is None
    assert findings.look(int, '3') == 3 and len(findings.problems) == 1


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(model=None), 'model must be a dict, got None'),
        (
            dict(train_dataloader=3, custom_hooks='x'),
            "train_dataloader must be .*, got 3; custom_hooks must be .* got 'x'",
        ),
        (dict(custom_hooks=[3]), 'custom_hooks.0 must be a dict, got 3: correct it in the config'),
        (
            dict(custom_hooks=[dict(interval=3)]),
            "custom_hooks.0 must say in type which class it is, got {'interval': 3}",
        ),
        (
            dict(default_hooks=dict(checkpoint=dict(interval=3))),
            'default_hooks.checkpoint must say in type which class',
        ),
        (dict(param_scheduler=dict(gamma=0.1)), 'param_scheduler must say in type which class it is'),
        (dict(log_level=[]), r'log_level must be a word or a number, got \[\]'),
        (
            dict(model=dict(type='A', members=dict(KD=None))),
            'model.members.KD must be a dict, got None: correct it in the config',
        ),
        (dict(model=dict(type=[])), r'model.type must be the name of a class, got \[\]'),
        (dict(model=dict(type='A', losses=dict(kd=-1))), 'model.losses.kd must be a dict or None, got -1'),
        (
            dict(model=dict(type='A', losses=[], teacher=None)),
            r'losses must be a dict, got \[\]; model.teacher must be',
        ),
        (dict(model=dict(type='A', init_cfg='x')), "model.init_cfg must be a dict or a list or None, got 'x'"),
        (dict(model=dict(type='A', teacher=dict(model=[]))), r'model.teacher.model must name the network .* got \[\]'),
    ],
)
def test_shapes(options, message):
    with pytest.raises(ValueError, match=message):
        check_run(Config(dict(dict(model=dict(type='A'), work_dir='work'), **options)), 'train')


def test_a_config_without_a_model():
    with pytest.raises(ValueError, match='the config has no model: name a config of configs/'):
        check_run(Config(dict(work_dir='work')), 'train')


def test_every_config_of_this_package_has_the_declared_types(pytestconfig, monkeypatch):
    monkeypatch.setattr(types, 'find_class', cache(types.find_class))  # a name means the same in every config
    checked = 0
    for path in sorted((pytestconfig.rootpath / 'configs').rglob('*.py')):
        cfg = Config.fromfile(path)
        if path.parts[-3] != '_base_' and 'model' in cfg:
            init_default_scope(cfg.default_scope)
            check_structure(cfg), check_names(cfg), types.check_types(cfg)
            checked += 1
    assert checked > 150


def test_types(pytestconfig):
    cfg = read('kd/resnet20-resnet8_digits.py', pytestconfig.rootpath)
    cfg.merge_from_dict({'model.losses.kd.tau': '4', 'train_dataloader.dataset.indices': 'x'})
    cfg.custom_hooks[2].monitor = {}
    with pytest.raises(ValueError) as error:
        check_run(cfg, 'train')
    assert str(error.value) == (
        "model.losses.kd.tau must be of type float, got '4'; train_dataloader.dataset.indices must be of type int | "
        "Sequence[int] | None, got 'x'; custom_hooks.2.monitor must be of type str, got {}: correct them in the config"
    )


def test_types_of_a_teacher(pytestconfig):
    cfg = read('kd/resnet20-resnet8_digits.py', pytestconfig.rootpath)
    cfg.model.teacher.update(floor='90', name=3)
    with pytest.raises(ValueError) as error:
        check_run(cfg, 'train')
    assert str(error.value) == (
        'model.teacher.name must be of type str, got 3; model.teacher.floor must be of type dict[str, float] | None, '
        "got '90': correct them in the config"
    )


def test_settings_of_clouds_and_ripsnets(pytestconfig):
    cfg = read('topkd/resnet20-resnet8_digits.py', pytestconfig.rootpath)
    cfg.merge_from_dict({'clouds.seed': 2**32, 'ripsnet.max_epochs': 2.5})
    assert any('clouds.seed must be from 0 to 4294967295, got 4294967296' in line for line in listed(cfg, 'gen_pi'))
    assert any(
        'ripsnet.max_epochs must be a whole number, 1 or more, got 2.5' in line for line in listed(cfg, 'train_ripsnet')
    )


def test_room_for_all_checkpoints(pytestconfig, monkeypatch):
    cfg = read('baselines/resnet8_digits.py', pytestconfig.rootpath)
    numbers = sum(tensor.numel() for tensor in MODELS.build(cfg.model).state_dict().values())
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', interval=1, max_keep_ckpts=2, save_best='auto')
    monkeypatch.setattr('topkd.preflight.room.ROOM', 0)
    # three checkpoints with the momentum of every weight, and the best without
    assert bytes_of_training(cfg) == 4 * numbers * (3 * 2 + 1)
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', interval=5)
    cfg.train_cfg.max_epochs = 21
    assert bytes_of_training(cfg) == 4 * numbers * 4 * 2
    Path('work').mkdir()
    Path('work/epoch_5.pth').write_bytes(b'0' * 100)
    assert bytes_of_training(cfg) == 4 * numbers * 4 * 2 - 100
    cfg.model.backbone.depth = 9
    assert bytes_of_training(cfg) <= 0


def test_looking_for_room_changes_no_config(pytestconfig):
    # a detector writes into what it is built from; a plan whose configs had changed would not know its runs again
    cfg = read('baselines/faster-rcnn_r18w32_digit-scenes.py', pytestconfig.rootpath)
    before = deepcopy(cfg.to_dict())
    init_default_scope('mmdet')
    assert bytes_of_training(cfg) > 1e7 and cfg.to_dict() == before


def test_room_is_compared_with_what_a_run_writes(pytestconfig, monkeypatch):
    cfg = read('baselines/resnet8_digits.py', pytestconfig.rootpath)
    monkeypatch.setattr('topkd.preflight.run.bytes_of_training', lambda cfg: 10**18)
    with pytest.raises(
        ValueError, match=r"the disk of 'work' has \d+ MiB left, this run needs 953674316406 MiB or more"
    ):
        check_run(cfg, 'train')


def test_what_an_earlier_job_makes_need_not_be_there(pytestconfig):
    cfg = read('topkd/resnet20-resnet8_digits.py', pytestconfig.rootpath)
    ripsnet = topology_artifact(cfg).ripsnet
    findings = Findings(cfg, made=[cfg.model.teacher.checkpoint, ripsnet])
    look(cfg, 'train', findings)
    assert findings.problems == []
    findings = Findings(cfg, made=[ripsnet])
    look(cfg, 'train', findings)
    assert len(findings.problems) == 1 and findings.problems[0].startswith("teacher 'resnet20_digits': checkpoint")


@pytest.mark.parametrize(
    'options, message',
    [
        ({'optim_wrapper.accumulative_counts': 1.5}, 'optim_wrapper.accumulative_counts must be a whole number, 1 or'),
        ({'optim_wrapper.clip_grad': dict(max_norm=-1)}, 'optim_wrapper.clip_grad.max_norm must be positive, got -1'),
        ({'default_hooks.checkpoint.interval': 0}, 'default_hooks.checkpoint.interval must be 1 or more, got 0'),
        ({'default_hooks.checkpoint.max_keep_ckpts': 0}, 'checkpoint.max_keep_ckpts must be 1 or more, got 0'),
        (
            {'param_scheduler.milestones': '15,20'},
            'param_scheduler.milestones must be one or more whole numbers, each 0',
        ),
        ({'param_scheduler': dict(type='StepLR', step_size=0)}, 'param_scheduler.step_size must be 1 or more, got 0'),
        ({'train_cfg.max_epochs': None}, 'train_cfg.max_epochs must be a whole number, 1 or more, got None'),
        (
            {'default_scope': 'mmfoo'},
            "default_scope names the package 'mmfoo', which is not installed: name mmpretrain",
        ),
        ({'randomness.deterministic': 'yes'}, "randomness.deterministic must be True or False, got 'yes'"),
        (
            {'env_cfg.mp_cfg.mp_start_method': 'forky'},
            'env_cfg.mp_cfg.mp_start_method must be one of fork, spawn, fork',
        ),
        (
            {'train_dataloader.collate_fn.type': 'topkd.colate'},
            "train_dataloader.collate_fn has the unknown type 'topkd",
        ),
        ({'val_evaluator.topk': '1'}, r"val_evaluator.topk must be of type .*int.*, got '1'"),
        ({'optim_wrapper.paramwise_cfg': dict(norm_decay=0)}, "nobody reads 'optim_wrapper.paramwise_cfg.norm_decay'"),
        ({'clouds.num_cloud': 4}, 'clouds has no setting num_cloud; it has num_clouds'),
    ],
)
def test_what_mmengine_would_take(pytestconfig, options, message):
    cfg = read('baselines/resnet8_digits.py', pytestconfig.rootpath)
    cfg.merge_from_dict(options)
    with pytest.raises(ValueError, match=message):
        check_run(cfg, 'train')


def test_an_optimizer_of_the_toolbox(pytestconfig):
    cfg = read('baselines/resnet8_digits.py', pytestconfig.rootpath)
    cfg.optim_wrapper.optimizer = dict(type='Lamb', lr=0.01)  # mmpretrain's
    check_run(cfg, 'train')
