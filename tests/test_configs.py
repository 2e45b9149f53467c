"""Every config is read, built and stepped; a pair's weights, control and widths are what its name says."""

import copy
import json
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmpretrain.structures import DataSample
from small import batch

from topkd.artifacts.settings import CLOUDS, RIPSNET

CONFIGS = Path(__file__).resolve().parent.parent / 'configs'
CLASSIFICATION = sorted(
    str(path.relative_to(CONFIGS))
    for folder in ('baselines', 'kd', 'topkd')
    for path in (CONFIGS / folder).glob('*.py')
    if not path.stem.startswith(('faster-rcnn_', 'retinanet_', 'gfl_', 'yolox_'))
)
PAIRS = [
    ('resnet56', 'resnet20'),
    ('resnet110', 'resnet20'),
    ('resnet110', 'resnet32'),
    ('resnet32x4', 'resnet8x4'),
    ('wrn40_2', 'wrn16_2'),
    ('wrn40_2', 'wrn40_1'),
    ('vgg13', 'vgg8'),
    ('vgg13', 'mobilenetv2'),
    ('resnet50', 'mobilenetv2'),
    ('resnet50', 'vgg8'),
    ('resnet32x4', 'shufflenetv1'),
    ('resnet32x4', 'shufflenetv2'),
    ('wrn40_2', 'shufflenetv1'),
]


def read(name: str) -> Config:
    """Read a config and make it run without files: a random teacher, a random RipsNet, clouds of four."""
    cfg = Config.fromfile(CONFIGS / name)
    if 'teacher' in cfg.model:
        cfg.model.teacher.checkpoint = None
        topology = cfg.model.losses.topology
        if topology is not None:
            topology.cloud.num_points = 4
            if topology.vectorizer.type == 'RipsNet':
                teacher = cfg.model.teacher
                network = teacher.model if 'model' in teacher else Config.fromfile(teacher.config).model
                topology.vectorizer.in_channels = network.head.in_channels
    return cfg


@pytest.mark.parametrize('name', CLASSIFICATION)
def test_build_and_step(name):
    cfg = read(name)
    init_default_scope(cfg.default_scope)
    torch.manual_seed(0)
    model_config = copy.deepcopy(cfg.model)
    model_config.setdefault('data_preprocessor', cfg.data_preprocessor)
    model = MODELS.build(model_config)
    model.init_weights()
    model.train()
    wrapper = build_optim_wrapper(model, copy.deepcopy(cfg.optim_wrapper))
    before = {key: parameter.detach().clone() for key, parameter in model.named_parameters()}
    images = batch(4, size=32, classes=10)
    if cfg.data_preprocessor.type == 'ClsDataPreprocessor':
        images['data_samples'] = [DataSample().set_gt_label(label) for label in images.pop('gt_label')]
    logs = model.train_step(images, wrapper)
    assert all(value.isfinite() for value in logs.values())
    moved = [key for key, parameter in model.named_parameters() if not torch.equal(parameter, before[key])]
    student = [key for key in before if 'projection' not in key]
    # a ReLU that no pixel of four images reaches leaves a parameter where it was, and so does, in its first step, the zero at
    # the end of every residual block of mmpretrain
    assert len(moved) > (0.75 if '_imagenet' in name else 0.9) * len(student)
    if 'teacher' in cfg.model:
        kept = {key for key, value in cfg.model.losses.items() if value is not None}
        assert {key for key in logs if key.startswith('loss_')} == {f'loss_{key}' for key in kept}
    predictions = model.val_step(images)
    assert len(predictions) == 4 and predictions[0].pred_score.shape == (
        cfg.model.get('student', cfg.model).head.num_classes,
    )


def test_all_thirteen_pairs_with_their_controls():
    for teacher, student in PAIRS:
        pair = f'{teacher}-{student}_cifar100'
        topkd, kd, exact = (read(name) for name in (f'topkd/{pair}.py', f'kd/{pair}.py', f'topkd/{pair}_exact.py'))
        plain = read(f'baselines/{student}_cifar100.py')
        assert topkd.model.student == kd.model.student == exact.model.student == plain.model
        assert topkd.optim_wrapper == kd.optim_wrapper == plain.optim_wrapper
        assert topkd.train_dataloader == kd.train_dataloader == plain.train_dataloader
        assert topkd.param_scheduler == plain.param_scheduler and topkd.train_cfg == plain.train_cfg
        assert topkd.model.teacher == kd.model.teacher and topkd.model.losses.kd == kd.model.losses.kd
        teacher_config = read(f'baselines/{teacher}_cifar100.py').model
        for part in ('backbone', 'neck', 'head'):
            for key, value in topkd.model.teacher.model[part].items():
                assert teacher_config[part][key] == value, (pair, part, key)
        assert kd.model.losses.topology is None
        expected = {key: value for key, value in topkd.model.losses.topology.vectorizer.items() if key != 'in_channels'}
        assert exact.model.losses.topology.vectorizer == dict(expected, type='RipsImage')


def test_weights_that_the_paper_states():
    losses = read('topkd/resnet56-resnet20_cifar100.py').model.losses
    assert (losses.kd.loss_weight, losses.topology.loss_weight, losses.kd.tau) == (2.0, 5.0, 4.0)
    assert read('topkd/wrn40_2-shufflenetv1_cifar100.py').model.losses.kd.loss_weight == 4.0


def test_recipe_of_the_paper():
    for student, lr in (('resnet20', 0.05), ('mobilenetv2', 0.01), ('shufflenetv1', 0.01), ('shufflenetv2', 0.01)):
        cfg = read(f'baselines/{student}_cifar100.py')
        assert cfg.optim_wrapper.optimizer == dict(type='SGD', lr=lr, momentum=0.9, weight_decay=5e-4)
        assert cfg.train_dataloader.batch_size == 64 and cfg.train_cfg.max_epochs == 240
        assert cfg.param_scheduler.milestones == [150, 180, 210] and cfg.param_scheduler.gamma == 0.1
    clouds, ripsnet = (read('topkd/resnet56-resnet20_cifar100.py').get(key) for key in ('clouds', 'ripsnet'))
    assert clouds.num_clouds == 200_000
    assert (ripsnet.lr, ripsnet.batch_size, ripsnet.max_epochs, ripsnet.patience) == (5e-4, 64, 25_000, 50)


@pytest.mark.parametrize('folder', ['topkd', 'cohorts', 'ablations', 'study/ripsnets'])
def test_clouds_and_ripsnet_hold_settings_alone(folder):
    # a config's own variable of one of these names would be taken for its settings
    for path in sorted((CONFIGS / folder).glob('*.py')):
        cfg = Config.fromfile(path)
        CLOUDS.complete(cfg.get('clouds')), RIPSNET.complete(cfg.get('ripsnet'))


def test_configs_are_inherited_from_the_package(tmp_path):
    (tmp_path / 'own.py').write_text(
        "_base_ = ['topkd::topkd/resnet56-resnet20_cifar100.py']\n"
        'model = dict(losses=dict(topology=dict(loss_weight=1.0)))\n'
    )
    cfg = Config.fromfile(tmp_path / 'own.py')
    assert cfg.model.losses.topology.loss_weight == 1.0 and cfg.model.losses.kd.loss_weight == 2.0


def test_readmes_pair_of_two_host_configs(tmp_path):
    readme = (CONFIGS.parent / 'README.md').read_text()
    code = next(block for block in readme.split('```')[1::2] if 'mmpretrain::resnet/resnet18' in block).removeprefix(
        'python\n'
    )
    (tmp_path / 'pair.py').write_text(code)
    cfg = Config.fromfile(tmp_path / 'pair.py')
    cfg.model.teacher.checkpoint = None
    cfg.model.losses.topology.vectorizer.in_channels = 2048
    init_default_scope(cfg.default_scope)
    model_config = copy.deepcopy(cfg.model)
    model_config.setdefault('data_preprocessor', cfg.data_preprocessor)
    model = MODELS.build(model_config)
    assert model.losses.topology.projection.weight.shape == (2048, 512)


def test_digits_are_what_the_configs_say():
    cfg = read('baselines/resnet8_digits.py')
    assert (len(DATASETS.build(cfg.train_dataloader.dataset)), len(DATASETS.build(cfg.val_dataloader.dataset))) == (
        1438,
        359,
    )
    json.dumps(cfg.to_dict())
