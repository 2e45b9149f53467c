"""A training that is killed anywhere and resumed ends as the one that was not."""

import json
import os
from itertools import count
from pathlib import Path

import pytest
import torch
from mmengine.hooks import CheckpointHook

import topkd.hooks.student_checkpoint_hook as student_checkpoint_hook
from topkd.hooks import ResultHook
from topkd.utils.checkpoint import load_file
from topkd.utils.resume import newest_checkpoint

EPOCHS = 3


class Killed(BaseException):
    """Ends a training as a signal would: nothing catches it."""


def kill_at(monkeypatch, owner, name: str, when) -> None:
    """Let ``owner.name`` end the training before it does anything, in the first call for which ``when`` holds."""
    original = getattr(owner, name)

    def failpoint(*args, **kwargs):
        if when(*args):
            monkeypatch.setattr(owner, name, original)
            raise Killed
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, failpoint)


def in_epoch(number: int):
    return lambda hook, runner, *rest: runner.epoch == number


FAILPOINTS = {
    'in the middle of an epoch': (ResultHook, 'after_train_iter', lambda hook, runner, *rest: runner.iter == 5),
    'before a checkpoint': (CheckpointHook, 'after_train_epoch', in_epoch(1)),
    'between a checkpoint and its student': (
        student_checkpoint_hook,
        'save_file',
        lambda content, path: path.endswith('student_epoch_2.pth'),
    ),
    'between a checkpoint and its validation': (ResultHook, 'before_val_epoch', in_epoch(2)),
    'behind the last validation': (ResultHook, 'after_train', in_epoch(EPOCHS)),
}


@pytest.fixture
def config(digits_config, tmp_path):
    """Write a pair with KD, momentum and augmentation whose training takes a second."""
    cfg = digits_config('kd/resnet20-resnet8_digits.py')
    cfg.merge_from_dict({'train_cfg.max_epochs': EPOCHS, 'default_hooks.checkpoint.max_keep_ckpts': 2})
    cfg.custom_hooks = [hook for hook in cfg.custom_hooks if hook['type'] != 'topkd.TeacherEvaluationHook']
    cfg.model.student.data_preprocessor = dict(cfg.data_preprocessor, crop_padding=1, flip_prob=0.5)
    cfg.pop('work_dir')
    torch.manual_seed(0)
    cfg.dump(tmp_path / 'pair.py')
    return str(tmp_path / 'pair.py')


def outcome(folder: str) -> dict:
    """Return all that a training leaves for a user: figures, files, weights and optimizer state."""
    files = sorted(name for name in os.listdir(folder) if name.endswith(('.pth', '.json')))
    states = {name: load_file(os.path.join(folder, name)) for name in files if name.endswith('.pth')}
    return dict(
        results=json.loads(Path(folder, 'results.json').read_text()),
        files=files,
        weights={name: state['state_dict'] for name, state in states.items()},
        momentum=states[f'epoch_{EPOCHS}.pth']['optimizer']['state'],
    )


def assert_same(left, right) -> None:
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            assert_same(left[key], right[key])
    elif isinstance(left, torch.Tensor):
        assert torch.equal(left, right)
    else:
        assert left == right


@pytest.fixture
def train(call, config):
    """Return a function that trains into a folder and returns the exit code and what went to stderr."""
    numbers = count()

    def run(folder: str, *arguments: str) -> tuple[int, str]:
        # trainings of one process and one second would share MMEngine's message hub
        name = f'experiment_name={folder}_{next(numbers)}'
        code, _, error = call('train.py', config, '--work-dir', folder, *arguments, '--cfg-options', name)
        return code, error

    return run


@pytest.fixture
def unbroken(train):
    """Train without a kill."""
    assert train('unbroken')[0] == 0
    return outcome('unbroken')


def test_every_failpoint(monkeypatch, train, unbroken):
    for number, (where, failpoint) in enumerate(FAILPOINTS.items()):
        kill_at(monkeypatch, *failpoint)
        with pytest.raises(Killed):
            train(f'killed{number}')
        code, error = train(f'killed{number}', '--resume')
        assert code == 0, (where, error)
        assert_same(outcome(f'killed{number}'), unbroken)


def test_a_checkpoint_cut_short_and_an_empty_pointer(train, unbroken):
    assert train('cut')[0] == 0
    Path('cut/last_checkpoint').write_text('')
    newest = Path(f'cut/epoch_{EPOCHS}.pth')
    newest.write_bytes(newest.read_bytes()[:-100])
    assert newest_checkpoint('cut') == Path(f'cut/epoch_{EPOCHS - 1}.pth')
    assert train('cut', '--resume')[0] == 0
    assert_same(outcome('cut'), unbroken)


def test_a_folder_without_checkpoints_starts_from_the_beginning(train, unbroken):
    assert newest_checkpoint('nowhere') is None
    assert train('new', '--resume')[0] == 0
    assert_same(outcome('new'), unbroken)


def test_a_config_that_asks_for_it(monkeypatch, call, config, train):
    kill_at(monkeypatch, *FAILPOINTS['before a checkpoint'])
    with pytest.raises(Killed):
        train('asked')
    options = ['--cfg-options', 'resume=True', 'experiment_name=asked_again']
    assert call('train.py', config, '--work-dir', 'asked', *options)[0] == 0
    assert any('resumed epoch: 1' in path.read_text() for path in Path('asked').rglob('*.log'))
    code, _, error = call('train.py', config, '--work-dir', 'other', *options, 'load_from=nowhere.pth')
    assert code == 1 and "checkpoint 'nowhere.pth' does not exist" in error
