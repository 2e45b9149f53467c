"""Processes that a launcher starts."""

import pytest
import torch
from mmengine.config import Config

from topkd.launch import setup_processes


@pytest.mark.parametrize(
    'launcher, gpu, variable',
    [('pytorch', False, 'RANK'), ('slurm', False, 'RANK'), ('slurm', True, 'SLURM_PROCID'), ('pytorch', True, 'RANK')],
)
def test_a_process_that_no_launcher_started(monkeypatch, launcher, gpu, variable):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpu)
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(
        ValueError, match=f'--launcher {launcher} needs the variable {variable}, which the launcher sets'
    ):
        setup_processes(Config(dict(launcher=launcher)))
