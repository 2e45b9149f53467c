"""``--cfg-options`` that change nothing are refused."""

import pytest
from mmengine.config import Config

from topkd.utils.config import merge_cfg_options
from topkd.utils.options import check_options


def example() -> Config:
    losses = dict(kd=dict(type='KDLoss', tau=4.0))
    return Config(
        dict(
            losses=losses,
            num_classes=10,
            model=dict(type='topkd.Distiller', losses=losses, teacher=dict(name='a'), train_cfg=dict(rpn=1), neck=None),
            train_dataloader=dict(batch_size=64, dataset=dict(type='A'), drop_last=True),
            train_cfg=dict(by_epoch=True, max_epochs=24),
            search_dataloader=dict(batch_size=64, dataset=dict(type='A')),
            custom_hooks=[dict(type='A')],
            env_cfg=dict(cudnn_benchmark=True),
        )
    )


@pytest.mark.parametrize(
    'name, value',
    [
        ('train_cfg.max_epochs', 2),
        ('train_cfg.val_begin', 2),
        ('train_dataloader.num_workers', 0),
        ('train_dataloader.dataset.indices', 64),
        ('train_dataloader.sampler.type', 'InfiniteSampler'),
        ('search_dataloader.batch_size', 32),
        ('search_dataloader.num_workers', 2),
        ('model.losses.kd.tau', 2),
        ('model.losses.kd', None),
        ('model.losses.new.type', 'KDLoss'),
        ('model.teacher.floor', {}),
        ('custom_hooks.0.interval', 2),
        ('resume', True),
        ('load_from', 'x.pth'),
        ('clouds.num_clouds', 64),
        ('randomness.seed', 3),
        ('default_hooks.checkpoint.interval', 3),
    ],
)
def test_what_somebody_reads(name, value):
    cfg = example()
    merge_cfg_options(cfg, {name: value})
    node = cfg
    for part in name.split('.'):
        node = node[int(part)] if part.isdigit() else node[part]
    assert node == value


def test_options_that_contradict_each_other():
    with pytest.raises(ValueError, match="'train_cfg' and 'train_cfg.max_epochs' contradict each other: give one of"):
        check_options(example(), {'train_cfg': None, 'train_cfg.max_epochs': 3})


@pytest.mark.parametrize(
    'name, value, message',
    [
        ('datroot', 'x', "'datroot' is read by nobody, did you mean 'data_root'"),
        ('train_cfg.max_epoch', 3, "did you mean 'train_cfg.max_epochs'"),
        ('train_dataloader.batchsize', 3, "did you mean 'train_dataloader.batch_size'"),
        ('trian_cfg.max_epochs', 3, "did you mean 'train_cfg.max_epochs'"),
        ('model.train_cfg.rcnn.x', 3, "'model.train_cfg.rcnn.x' is read by nobody"),
        ('env_cfg.mp', 1, "'env_cfg.mp' is read by nobody: correct its name"),
        ('losses.kd.tau', 2, "nobody reads once that is evaluated: set 'model.losses.kd.tau' instead"),
        ('num_classes', 5, 'set the entries that were made of it'),
        (
            'custom_hooks.1.interval',
            2,
            "'custom_hooks' is a list of 1 entries, which have the numbers from 0, got '1': correct",
        ),
        ('model.neck.type', 'A', "'model.neck' is None: set it as a whole"),
        ('train_cfg.max_epochs.x', 2, "'train_cfg.max_epochs' is 24: set it as a whole"),
        ('data_root', 'x', "'data_root' has no effect, as no data set of this config reads files below it"),
    ],
)
def test_what_nobody_reads(name, value, message):
    cfg = example()
    with pytest.raises(ValueError, match=message):
        merge_cfg_options(cfg, {name: value})


@pytest.mark.parametrize(
    'name, value, expected',
    [
        ('train_cfg.max_epochs', 'abc', "must be a number, as it is 24 in the config, got 'abc'"),
        ('train_dataloader.drop_last', 3, 'must be True or False, as it is True in the config, got 3'),
        ('train_cfg.max_epochs', True, 'must be a number'),
        ('model', 3, 'must be a dict, as it is a dict in the config, got 3'),
    ],
)
def test_values_of_another_kind(name, value, expected):
    with pytest.raises(TypeError, match=expected):
        check_options(example(), {name: value})


def test_arguments_of_a_class():
    cfg = Config(dict(model=dict(type='topkd.CIFARResNet', depth=8)))
    with pytest.raises(ValueError, match="'model.detph' is read by nobody, did you mean 'model.depth'"):
        check_options(cfg, {'model.detph': 20})
    check_options(cfg, {'model.channels': (8, 8, 16, 32)})
    # arguments of the class that the same command puts there
    check_options(cfg, {'model.type': 'topkd.CIFARWideResNet', 'model.widen_factor': 2})
