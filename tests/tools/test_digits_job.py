"""The embedded classification job at a few steps of everything: a table, a picture, and nothing repeated."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_quick_job_ends_with_a_table_and_a_picture_and_repeats_nothing(tmp_path):
    command = [sys.executable, str(ROOT / 'tools' / 'digits.py'), '--quick', '--seeds', '2', '--jobs', '2']
    environment = dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
    results = [subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True) for _ in range(2)]
    assert all(result.returncode == 0 for result in results), results[0].stderr[-2000:]
    folder = tmp_path / 'work_dirs' / 'digits'
    for name in ('teacher ResNet20', 'plain student ResNet8', 'KD student ResNet8', 'TopKD student ResNet8'):
        assert all(name in result.stdout for result in results)
    assert (folder / 'table.txt').read_text() in results[0].stdout
    assert (folder / 'persistence_images.png').stat().st_size > 10_000
    assert 'seed 1: plain' in results[0].stdout and 's left' in results[0].stdout
    table = results[0].stdout.split('network')[1].split('"best"')[0]
    assert table == results[1].stdout.split('network')[1].split('"best"')[0]
    checkpoints = {path: path.stat().st_mtime for path in folder.rglob('epoch_*.pth')}
    assert len(checkpoints) >= 3 and max(checkpoints.values()) < (folder / 'table.txt').stat().st_mtime - 1


def test_numbers_that_make_no_table(tmp_path):
    command = [sys.executable, str(ROOT / 'tools' / 'digits.py'), '--quick', '--seeds', '0', '--jobs', '-2']
    result = subprocess.run(command, cwd=tmp_path, env=dict(os.environ, PYTHONPATH=str(ROOT)), capture_output=True)
    assert result.returncode == 1 and result.stderr.count(b'error: ') == 1
    assert b'error: --seeds 0 and --jobs -2: a whole number from 1 is expected' in result.stderr
