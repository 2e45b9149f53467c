"""A distillation by two processes on the CPU, as tools/dist_train.sh starts it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from topkd.utils.checkpoint import load_file

ROOT = Path(__file__).resolve().parent.parent.parent


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
    folder = tmp_path / 'work'
    state = load_file(folder / 'epoch_1.pth')['state_dict']
    assert not any(key.startswith(('teacher', 'module')) for key in state)
    # 256 images, 2 x 16 a step; every step was one cloud of 32, which both processes saw
    assert state['losses.topology.vectorizer.fitted_batches'].item() == 8
    results = json.loads((folder / 'results.json').read_text())
    assert results['last']['iter'] == 8 and 'accuracy/top1' in results['teacher']
    assert (folder / 'student_epoch_1.pth').is_file()
