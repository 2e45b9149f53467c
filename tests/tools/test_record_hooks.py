"""What a training leaves beside its results: the record of its clouds, and one test of its last epoch."""

import json

import pytest
import torch
from mmengine.config import Config

from topkd.models.vectorizers import RipsNet
from topkd.topology import PersistenceImager, rips_diagrams
from topkd.utils.checkpoint import load_file, save_file


@pytest.fixture
def ripsnet(tmp_path):
    generator = torch.Generator().manual_seed(0)
    imager = PersistenceImager((20, 20))
    imager.fit(rips_diagrams(torch.rand(4, 16, 64, generator=generator), (0,)))
    save_file(RipsNet(64).to_file(imager.spec(), {}), str(tmp_path / 'ripsnet.pth'))
    return str(tmp_path / 'ripsnet.pth')


@pytest.fixture
def config(digits_config, tmp_path, random_networks, ripsnet):
    """Return a function that writes a cohort of two members of digits, validated on other images than it is tested on."""

    def write(name='cohort.py', **options):
        cfg = digits_config('cohorts/resnet20-resnet8_digits.py', **{'train_cfg.max_epochs': 2})
        cfg.model.members = {name: cfg.model.members[name] for name in ('plain', 'KD')}
        cfg.model.teacher.update(checkpoint=str(tmp_path / 'teacher.pth'), floor=None)
        cfg.val_dataloader.dataset.update(split='train', indices=list(range(300, 364)))
        record = dict(type='topkd.CloudRecordHook', ripsnet=ripsnet, interval=1, clouds=2, num_points=16)
        cfg.custom_hooks = [*cfg.custom_hooks, record, dict(type='topkd.FinalTestHook')]
        cfg.merge_from_dict(options)
        cfg.pop('work_dir')
        cfg.dump(tmp_path / name)
        return str(tmp_path / name)

    return write


def read(path):
    return json.loads(open(path).read())


def test_record_and_test_of_a_cohort(call, config):
    path = config()
    code, out, err = call('train.py', path, '--work-dir', 'run')
    assert code == 0, err
    record, tested = read('run/clouds.json'), read('run/test.json')
    assert set(record) == {'teacher', 'plain', 'KD'} and all(set(epochs) == {'1', '2'} for epochs in record.values())
    assert record['teacher']['1'] == record['teacher']['2'] and record['plain']['1'] != record['plain']['2']
    assert record['teacher']['1']['scale'] == 1 and record['teacher']['1']['bottleneck'] == 0
    for member in ('plain', 'KD'):
        code, out, err = call('test.py', path, 'run/epoch_2.pth', '--member', member)
        assert f'accuracy/top1: {tested[member]["accuracy/top1"]:.4f}' in out, err


def test_the_training_is_not_touched_and_a_resumed_one_ends_with_the_same_record(call, config):
    assert call('train.py', config('whole.py'), '--work-dir', 'whole')[0] == 0
    bare = Config.fromfile(config('bare.py'))
    bare.custom_hooks = [
        hook for hook in bare.custom_hooks if hook.type not in ('topkd.CloudRecordHook', 'topkd.FinalTestHook')
    ]
    bare.dump('bare.py')
    assert call('train.py', 'bare.py', '--work-dir', 'bare')[0] == 0
    weights, plain = (load_file(f'{run}/epoch_2.pth')['state_dict'] for run in ('whole', 'bare'))
    assert all(torch.equal(value, plain[key]) for key, value in weights.items())
    assert call('train.py', config('first.py', **{'train_cfg.max_epochs': 1}), '--work-dir', 'cut')[0] == 0
    assert set(read('cut/clouds.json')['KD']) == {'1'}
    assert call('train.py', config('whole.py'), '--work-dir', 'cut', '--resume')[0] == 0
    assert read('cut/clouds.json') == read('whole/clouds.json') and read('cut/test.json') == read('whole/test.json')


def test_what_cannot_be_recorded_or_tested_is_refused_before_the_training(call, config):
    code, out, err = call('train.py', config(**{'val_dataloader.dataset.indices': [1, 2, 3]}), '--work-dir', 'few')
    assert code == 1 and 'needs 32 validation images for 2 clouds, got 3: lower clouds or num_points' in err
    bare = Config.fromfile(config())
    bare.update(test_cfg=None, test_dataloader=None, test_evaluator=None)
    bare.dump('bare.py')
    code, out, err = call('train.py', 'bare.py', '--work-dir', 'untested')
    assert code == 1 and 'FinalTestHook needs a test split' in err
