"""Which checkpoint a training goes on from, and what a new one would overwrite."""

import pytest
import torch
from mmengine.config import Config

import topkd.utils.resume as module
from topkd.utils.resume import choose_start, newest_checkpoint, warn_of_another_training


def a_training(tmp_path, **model) -> Config:
    path = tmp_path / 'pair.py'
    path.write_text(f'model = dict(type="Net", **{model!r})')
    cfg = Config.fromfile(path)
    cfg.work_dir = str(tmp_path / 'run')
    return cfg


def test_the_newest_whole_checkpoint(tmp_path):
    torch.save({}, tmp_path / 'epoch_9.pth')
    torch.save({}, tmp_path / 'epoch_10.pth')
    (tmp_path / 'epoch_11.pth').write_bytes((tmp_path / 'epoch_10.pth').read_bytes()[:-30])
    assert newest_checkpoint(tmp_path) == tmp_path / 'epoch_10.pth'
    assert newest_checkpoint(tmp_path / 'elsewhere') is None


@pytest.mark.parametrize(
    'said, resume, start',
    [
        ({}, None, None),
        ({}, 'auto', 'epoch_2.pth'),
        ({}, 'given.pth', 'given.pth'),
        (dict(resume=True), None, 'epoch_2.pth'),
        (dict(resume=True, load_from='said.pth'), None, 'said.pth'),
        (dict(resume=True, load_from='said.pth'), 'given.pth', 'given.pth'),
        (dict(load_from='said.pth'), None, None),  # its weights alone, which MMEngine loads
    ],
)
def test_the_start_is_what_the_call_says_or_else_the_config(tmp_path, monkeypatch, said, resume, start):
    monkeypatch.chdir(tmp_path)
    torch.save({}, 'epoch_2.pth')
    cfg = Config(dict(said, work_dir='.'))
    choose_start(cfg, resume)
    assert cfg.resume is (start is not None) and cfg.get('load_from') == (start or said.get('load_from'))


def test_nothing_to_go_on_from_is_a_training_from_the_beginning(tmp_path):
    cfg = Config(dict(work_dir=str(tmp_path)))
    choose_start(cfg, 'auto')
    assert cfg.resume is False and 'load_from' not in cfg


def test_checkpoints_of_another_model_are_not_overwritten_in_silence(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(module, 'print_log', lambda message, *_: said.append(message))
    first = a_training(tmp_path, losses=dict(topology=1))
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'pair.py').write_text((tmp_path / 'pair.py').read_text())
    second = a_training(tmp_path, losses=dict(kd=1))
    warn_of_another_training(second)  # nothing was trained there
    torch.save({}, tmp_path / 'run' / 'epoch_1.pth')
    warn_of_another_training(first)
    assert not said
    # one that is cut short is overwritten too, and nothing goes on from it
    (tmp_path / 'run' / 'epoch_2.pth').write_bytes((tmp_path / 'run' / 'epoch_1.pth').read_bytes()[:-30])
    warn_of_another_training(second)
    (message,) = said
    assert "run' holds checkpoints of a training with another model, which this one overwrites" in message
