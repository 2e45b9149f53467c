"""Which checkpoint a training goes on from, and what a new one would overwrite."""

import torch
from mmengine.config import Config

import topkd.utils.resume as module
from topkd.utils.resume import newest_checkpoint, warn_of_another_training


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
