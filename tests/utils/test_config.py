"""One data_root for a whole config: from a leaf config, the command line, or a dumped config."""

import copy
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from topkd.utils.config import FormattedOnce, apply_data_root, merge_cfg_options, read_config

CIFAR100 = Path(__file__).parents[2] / 'configs' / '_base_' / 'datasets' / 'cifar100.py'
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def roots(cfg):
    return [cfg[loader].dataset.data_root for loader in LOADERS]


@pytest.fixture
def leaf(tmp_path):

    def write(text=''):
        (tmp_path / 'leaf.py').write_text(f"_base_ = ['{CIFAR100}']\n{text}\n")
        return Config.fromfile(tmp_path / 'leaf.py')

    return write


def test_without_options_the_config_s_own_root_is_used(leaf):
    assert roots(merge_cfg_options(leaf(), None)) == ['data/cifar100'] * 3
    assert roots(apply_data_root(leaf())) == ['data/cifar100'] * 3
    assert roots(merge_cfg_options(leaf("data_root = '/mine'"), {})) == ['/mine'] * 3


def test_the_option_reaches_all_loaders(leaf):
    cfg = merge_cfg_options(leaf("data_root = '/mine'"), {'data_root': '/yours', 'train_dataloader.batch_size': 8})
    assert roots(cfg) == ['/yours'] * 3 and cfg.data_root == '/yours' and cfg.train_dataloader.batch_size == 8


def test_a_data_set_s_own_root_wins(leaf):
    options = {'train_dataloader.dataset.data_root': '/only', 'data_root': '/yours'}
    assert roots(merge_cfg_options(leaf(), options)) == ['/only', '/yours', '/yours']
    cfg = leaf("train_dataloader = dict(dataset=dict(data_root='/only'))")
    assert roots(merge_cfg_options(cfg, {'data_root': '/yours'})) == ['/only', '/yours', '/yours']
    cfg = leaf()
    cfg.merge_from_dict(options)
    assert roots(apply_data_root(cfg)) == ['/only', '/yours', '/yours']


def test_a_dumped_config_can_still_be_moved(leaf, tmp_path):
    merge_cfg_options(leaf(), {'data_root': '/yours'}).dump(tmp_path / 'dumped.py')
    cfg = merge_cfg_options(Config.fromfile(tmp_path / 'dumped.py'), {'data_root': '/theirs'})
    assert roots(cfg) == ['/theirs'] * 3


@pytest.mark.parametrize('root', ['/coco', '/coco/'])
def test_paths_written_with_the_old_root_follow_as_in_mmdet(root):
    dataset = dict(type='CocoDataset', data_root='data/coco/', ann_file='annotations/val.json')
    cfg = Config(
        dict(
            data_root='data/coco/',
            train_dataloader=dict(dataset=dict(type='RepeatDataset', dataset=dict(dataset))),
            val_dataloader=dict(dataset=dict(datasets=[dict(dataset), dict(data_root='data/cocoa')])),
            val_evaluator=[dict(type='CocoMetric', ann_file='data/coco/annotations/val.json')],
            load_from='data/coco/model.pth',
        )
    )
    merge_cfg_options(cfg, {'data_root': root})
    assert cfg.train_dataloader.dataset.dataset == dict(dataset, data_root=root)
    assert cfg.val_dataloader.dataset.datasets == [dict(dataset, data_root=root), dict(data_root='data/cocoa')]
    assert cfg.val_evaluator[0].ann_file == '/coco/annotations/val.json'
    assert cfg.load_from == 'data/coco/model.pth'


def test_a_config_without_data_root_is_left_alone():
    cfg = merge_cfg_options(Config(dict(train_dataloader=dict(dataset=dict(type='topkd.Digits')))), dict(work_dir='w'))
    assert cfg.train_dataloader.dataset == dict(type='topkd.Digits') and cfg.work_dir == 'w'


def test_a_text_is_formatted_again_only_if_an_entry_changed(monkeypatch):
    plain = Config(dict(model=dict(type='A', depth=8), lr=0.1))
    cfg, calls = FormattedOnce(plain), []
    formatted = Config.pretty_text.fget
    monkeypatch.setattr(Config, 'pretty_text', property(lambda self: calls.append(1) or formatted(self)))
    assert cfg.pretty_text == cfg.pretty_text == formatted(plain) and len(calls) == 1
    other = copy.deepcopy(cfg)
    assert other.pretty_text == formatted(plain) and len(calls) == 1
    other.model.depth = 20
    assert 'depth=20' in other.pretty_text and 'depth=8' in cfg.pretty_text and len(calls) == 2


def test_a_config_with_read_base_is_formatted_as_mmengine_does(tmp_path):
    (tmp_path / 'plain.py').write_text("model = dict(type='A')\n")
    (tmp_path / 'leaf.py').write_text(
        'from mmengine.config import read_base\nwith read_base():\n    from .plain import *\nmodel.depth = 8\n'
    )
    cfg = read_config(str(tmp_path / 'leaf.py'))
    assert FormattedOnce(cfg).pretty_text == copy.deepcopy(FormattedOnce(cfg)).pretty_text == cfg.pretty_text
    assert 'read_base' not in cfg.pretty_text


def test_modules_beside_a_config_are_found(tmp_path, monkeypatch):
    (tmp_path / 'here').mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    (tmp_path / 'modules_beside.py').write_text('FOUND = True\n')
    (tmp_path / 'leaf.py').write_text("custom_imports = dict(imports=['modules_beside'])\n")
    (tmp_path / 'json.py').write_text('raise AssertionError')  # what is installed comes first
    monkeypatch.setattr(sys, 'path', list(sys.path))
    assert read_config(str(tmp_path / 'leaf.py')).custom_imports == dict(imports=['modules_beside'])
    assert sys.modules['modules_beside'].FOUND and sys.path[-2:] == [str(tmp_path), str(tmp_path / 'here')]


@pytest.mark.parametrize('root', ['', ' ', None, ['a', 'b']])
def test_a_data_root_that_names_no_folder(root):
    cfg = Config(dict(data_root='data/coco', train_dataloader=dict(dataset=dict(data_root=None))))
    with pytest.raises(ValueError, match="the option 'data_root' must be the name of a folder, got"):
        merge_cfg_options(cfg, dict(data_root=root))


@pytest.mark.parametrize(
    'base, message',
    [
        ("'leaf.py'", "leaf.py' inherits from itself, by way of 'leaf.py': correct its _base_"),
        ("['middle.py']", "middle.py' inherits from itself, by way of '../leaf.py'"),
        ('None', 'must name in _base_ one config or a list of them, got None'),
        ("''", "must name in _base_ one config or a list of them, got ''"),
        ("['nowhere.py']", "inherits from 'nowhere.py', which is no file: correct its _base_"),
        ("'folder'", "inherits from 'folder', which is no file"),
    ],
)
def test_bases_that_are_none(tmp_path, base, message):
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'folder' / 'middle.py').write_text("_base_ = '../leaf.py'\n")
    (tmp_path / 'middle.py').symlink_to('folder/middle.py')
    (tmp_path / 'leaf.py').write_text(f'_base_ = {base}\n')
    with pytest.raises(ValueError, match=message):
        read_config(str(tmp_path / 'leaf.py'))


def test_bases_by_variables_of_mmengine(tmp_path):
    (tmp_path / 'base.py').write_text('a = 1\n')
    (tmp_path / 'leaf.py').write_text("_base_ = '{{ fileDirname }}/base.py'\n")
    assert read_config(str(tmp_path / 'leaf.py')).a == 1
