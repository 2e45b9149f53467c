"""A cohort through the tools: train, test a member, export a member, and the sentences on wrong names."""

import json
import os

import pytest
import torch
from mmengine.config import Config

from topkd.utils.checkpoint import load_file

CONFIGS = ('cohorts/resnet20-resnet8_digits.py', 'cohorts/resnet56-resnet20_cifar100.py')


@pytest.fixture
def config(digits_config, tmp_path, random_networks):
    """Write the shipped cohort of digits with a teacher at hand, an epoch long."""
    cfg = digits_config(CONFIGS[0], **{'train_cfg.max_epochs': 1})
    cfg.model.teacher.checkpoint = str(tmp_path / 'teacher.pth')
    cfg.model.teacher.floor = None
    cfg.pop('work_dir')
    cfg.dump(tmp_path / 'cohort.py')
    return str(tmp_path / 'cohort.py')


def test_train_test_and_export(call, config):
    code, out, err = call('train.py', config, '--work-dir', 'run')
    assert code == 0, err
    results = json.loads(open('run/results.json').read())
    members = ['plain', 'KD', 'exact', 'normalized', 'RKD']
    assert set(results['members']) == set(members) and 'accuracy/top1' in results['teacher']
    assert all(os.path.isfile(f'run/student_{name}_epoch_1.pth') for name in members)
    for checkpoint in ('run/epoch_1.pth', 'run/student_KD_epoch_1.pth'):
        code, out, err = call('test.py', config, checkpoint, '--member', 'KD')
        expected = results['members']['KD']['last']['accuracy/top1']
        assert code == 0 and f'accuracy/top1: {expected:.4f}' in out, err
    code, out, err = call('export_student.py', config, 'run/epoch_1.pth', 'kd.pth', '--member', 'KD')
    assert code == 0 and 'loads strictly, greatest difference of the outputs 0' in out, err
    exported, saved = load_file('kd.pth')['state_dict'], load_file('run/student_KD_epoch_1.pth')['state_dict']
    assert all(torch.equal(value, saved[key]) for key, value in exported.items())
    for arguments, got in ((('--member', 'kd'), "got 'kd'"), ((), 'none was named')):
        for tool, more in (('test.py', ()), ('export_student.py', ('other.pth',))):
            code, out, err = call(tool, config, 'run/epoch_1.pth', *more, *arguments)
            assert code == 1 and 'the cohort has the members ' in err and f'{got}: name one of them by --member' in err


def test_cohort_of_topology_terms():
    root = os.path.join(os.path.dirname(__file__), '..', '..', 'configs')
    cfg = Config.fromfile(os.path.join(root, 'cohorts/resnet56-resnet20_cifar100_topology.py'))
    losses = {name: member.losses for name, member in cfg.model.members.items()}
    pair = [
        Config.fromfile(os.path.join(root, f'topkd/resnet56-resnet20_cifar100{end}.py'))
        for end in ('', '_exact', '_sorted-deaths')
    ]
    expected = dict(zip(('TopKD', 'exact', 'sorted_deaths'), (own.model.losses for own in pair)))
    assert {name: losses[name] for name in expected} == expected
    assert losses['plain'] == {} and list(losses['KD']) == ['kd']
    assert losses['normalized'].topology.cloud.normalization == 'mean_distance'
    assert {str(member.student) for member in cfg.model.members.values()} == {str(pair[0].model.student)}


def test_shipped_cohorts(digits_config):
    root = os.path.join(os.path.dirname(__file__), '..', '..', 'configs')
    for name in CONFIGS:
        cfg = Config.fromfile(os.path.join(root, name))
        assert list(cfg.model.members) == ['plain', 'KD', 'exact', 'normalized', 'RKD']
        assert cfg.model.members.normalized.losses.topology.cloud.normalization == 'mean_distance'
        assert cfg.model.members.exact.losses.topology.cloud.get('normalization') is None
