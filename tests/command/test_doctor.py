"""topkd doctor: what it finds, and that what is missing is said with what to do."""

import sys

import pytest

from topkd.command import doctor as module
from topkd.command.doctor import doctor, report


def test_healthy_installation(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['topkd doctor'])
    doctor()
    out = capsys.readouterr().out
    for name in ('topkd', 'torch', 'mmengine', 'mmcv', 'mmdet', 'mmpretrain', 'gudhi', 'data/cifar100', 'disk'):
        assert name in out
    assert 'MISSING' not in out and 'what to do' not in out


def test_missing_host_says_both_commands(monkeypatch, capsys):
    monkeypatch.setattr(module, 'missing_hosts', lambda: ['mmdet'])
    monkeypatch.setattr(sys, 'argv', ['topkd doctor'])
    with pytest.raises(SystemExit) as end:
        doctor()
    out = capsys.readouterr().out
    assert end.value.code == 1
    assert 'MISSING hosts           missing: mmdet' in out
    assert 'topkd[onedl]' in out and 'topkd[openmmlab]' in out


def test_full_disk(monkeypatch):
    monkeypatch.setattr(module, 'GIGABYTES_FREE', 1e9)
    text, healthy = report()
    assert not healthy and 'disk: free space' in text


def test_folders_of_data_are_looked_for_here(monkeypatch, tmp_path):
    (tmp_path / 'data' / 'coco').mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    lines = report()[0].splitlines()
    assert any(line.split() == ['ok', 'data/coco', 'found'] for line in lines)
    assert any(f'not in {tmp_path}' in line for line in lines if 'data/imagenet' in line)
