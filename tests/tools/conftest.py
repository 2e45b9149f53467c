"""What the tests of all tools share: calling them, and random networks of a small pair."""

import pytest
import torch
from in_process import caller
from mmengine.registry import MODELS

from topkd.utils.checkpoint import save_file


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Return a function that runs a tool in this process and returns (exit code, stdout, stderr)."""
    return caller(monkeypatch, capsys, tmp_path)


@pytest.fixture
def random_networks(digits_config, tmp_path):
    """Write random weights of a digits teacher and of two students; return the networks by name."""
    result = {}
    for seed, (name, config) in enumerate(dict(teacher='resnet20', plain='resnet8', KD='resnet8').items()):
        torch.manual_seed(seed)
        result[name] = MODELS.build(digits_config(f'baselines/{config}_digits.py').model).eval()
        save_file(dict(state_dict=result[name].state_dict()), tmp_path / f'{name}.pth')
    return result
