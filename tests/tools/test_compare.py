"""tools/compare.py: what it measures, evaluates and writes, and what it says of wrong arguments."""

import json

import in_process
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

CONFIG = in_process.ROOT / 'configs' / 'baselines' / 'resnet8_digits.py'
PAIR = in_process.ROOT / 'configs' / 'kd' / 'resnet20-resnet8_digits.py'
COHORT = in_process.ROOT / 'configs' / 'cohorts' / 'resnet20-resnet8_digits.py'
FEW = ('--batch-sizes', '1', '--repeats', '1', '--device', 'cpu')


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    return in_process.caller(monkeypatch, capsys, tmp_path)


@pytest.fixture
def checkpoint(tmp_path):
    init_default_scope('mmpretrain')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(CONFIG).model)
    path = tmp_path / 'student.pth'
    torch.save(dict(state_dict={f'student.{key}': value for key, value in model.state_dict().items()}), path)
    return path


def test_trained_student_beside_a_random_network(run, checkpoint, tmp_path):
    code, out, err = run('compare.py', f'KD={PAIR}:{checkpoint}', f'random={CONFIG}', *FEW, '--out', 'found')
    assert code == 0, err
    rows = json.loads((tmp_path / 'found' / 'compare.json').read_text())['networks']
    assert [row['name'] for row in rows] == ['KD', 'random']
    assert rows[0]['parameters'] == rows[1]['parameters'] == 78_042
    assert 0 <= rows[0]['metrics']['accuracy/top1'] <= 100 and rows[1]['metrics'] == {}
    assert (tmp_path / 'found' / 'compare.png').stat().st_size > 0
    assert 'cpu, batch 1: ms' in out and 'written to found/compare.json and found/compare.png' in out


def test_student_of_a_member_of_a_cohort(run, checkpoint, tmp_path):
    state = torch.load(checkpoint, weights_only=True)['state_dict']
    torch.save({f'members.RKD.{name}': tensor for name, tensor in state.items()}, tmp_path / 'cohort.pth')
    few = (*FEW, '--no-accuracy', '--shape', '8', '8', '--out', 'found')
    code, out, err = run('compare.py', f'{COHORT}@RKD:cohort.pth', f'alone={CONFIG}:{checkpoint}', *few)
    assert code == 0, err
    rows = json.loads((tmp_path / 'found' / 'compare.json').read_text())['networks']
    assert [row['name'] for row in rows] == ['RKD', 'alone']
    assert rows[0]['parameters'] == rows[1]['parameters'] and rows[0]['operations'] == rows[1]['operations']


def test_nothing_evaluated_makes_no_picture(run, tmp_path):
    code, out, _ = run('compare.py', str(CONFIG), '--shape', '8', '8', *FEW, '--out', 'found')
    assert code == 0 and 'resnet8_digits' in out
    assert 'INFO' not in out and len(out.splitlines()) < 12, out
    assert not (tmp_path / 'found' / 'compare.png').exists()


@pytest.mark.parametrize(
    'words, message',
    [
        (('a=there',), "a network is NAME=CONFIG.py or NAME=CONFIG.py:CHECKPOINT, got 'a=there'"),
        ((f'a={CONFIG}', f'a={CONFIG}'), "two networks are named 'a'"),
        ((f'a={CONFIG}:missing.pth',), "checkpoint 'missing.pth' does not exist"),
        ((f'a={COHORT}:x.pth',), 'is a cohort of the members plain, KD'),
        ((f'a={COHORT}@other',), 'got @other: write NAME=CONFIG.py@MEMBER:CHECKPOINT'),
        ((f'a={CONFIG}@KD',), 'is no cohort, got @KD: write NAME=CONFIG.py:CHECKPOINT'),
        (('a=missing.py',), "config 'missing.py' does not exist"),
        ((str(COHORT),), 'got no member: write NAME=CONFIG.py@MEMBER:CHECKPOINT'),
    ],
)
def test_wrong_arguments(run, words, message):
    code, _, err = run('compare.py', *words, *FEW)
    assert code == 1 and message in err and 'Traceback' not in err
