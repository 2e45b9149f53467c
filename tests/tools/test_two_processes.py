"""A distillation by two processes on the CPU, as tools/dist_train.sh starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch

from topkd.utils.checkpoint import load_file

ROOT = Path(__file__).resolve().parent.parent.parent


def train_in_two_processes(cfg, tmp_path) -> Path:
    """Train a config as torchrun does it, and return its folder."""
    cfg.dump(tmp_path / 'pair.py')
    command = [
        sys.executable,
        '-m',
        'torch.distributed.run',
        '--nproc_per_node=2',
        '--rdzv-backend=c10d',
        '--rdzv-endpoint=127.0.0.1:0',
        str(ROOT / 'tools' / 'train.py'),
        str(tmp_path / 'pair.py'),
        '--launcher',
        'pytorch',
    ]
    result = subprocess.run(
        command, env=dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(ROOT)), capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return tmp_path / 'work'


def test_two_processes_share_clouds_and_one_checkpoint(digits_config, tmp_path):
    cfg = digits_config(
        'topkd/resnet20-resnet8_digits_exact.py',
        **{
            'train_cfg.max_epochs': 1,
            'model.teacher.model.backbone.depth': 8,
            'train_dataloader.batch_size': 16,
            'model.losses.topology.cloud': dict(num_points=32, gather=True),
            'default_hooks.logger.interval': 4,
        },
    )
    folder = train_in_two_processes(cfg, tmp_path)
    state = load_file(folder / 'epoch_1.pth')['state_dict']
    assert not any(key.startswith(('teacher', 'module')) for key in state)
    # 256 images, 2 x 16 a step; every step was one cloud of 32, which both processes saw
    assert state['losses.topology.vectorizer.fitted_batches'].item() == 8
    results = json.loads((folder / 'results.json').read_text())
    assert results['last']['iter'] == 8 and 'accuracy/top1' in results['teacher']
    assert (folder / 'student_epoch_1.pth').is_file()


def test_a_cohort_in_two_processes_trains_each_member_as_its_own_run_does(digits_config, tmp_path, random_networks):
    """DistributedDataParallel trains the single student, the cohort averages its gradients itself."""
    options = {'train_cfg.max_epochs': 1, 'train_dataloader.batch_size': 16}
    cfg = digits_config('kd/resnet20-resnet8_digits.py', **options)
    cfg.model.teacher.checkpoint = str(tmp_path / 'teacher.pth')
    single = train_in_two_processes(cfg, tmp_path)
    alone = load_file(single / 'student_epoch_1.pth')['state_dict']
    student, teacher, kd = (cfg.model[key].to_dict() for key in ('student', 'teacher', 'losses'))
    members = dict(plain=dict(student=student, losses={}), KD=dict(student=student, losses=dict(kd=kd['kd'])))
    cfg.model = dict(type='topkd.Cohort', teacher=teacher, members=members)
    cfg.work_dir = str(tmp_path / 'cohort')
    train_in_two_processes(cfg, tmp_path)
    together = load_file(tmp_path / 'cohort/student_KD_epoch_1.pth')['state_dict']
    # the order in which processes are added up may differ in the last digit
    assert all(torch.allclose(value, alone[key], rtol=1e-4, atol=1e-5) for key, value in together.items())
    results = json.loads((tmp_path / 'cohort/results.json').read_text())
    assert set(results['members']) == {'plain', 'KD'}
