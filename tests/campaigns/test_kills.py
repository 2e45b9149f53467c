"""The short form of the campaign of kills: some points of every kind of run."""

import json
import os
import subprocess
import sys
from pathlib import Path

from .outcome import differences

ROOT = Path(__file__).resolve().parents[2]


def campaign(folder: Path, name: str, *options: str) -> dict[str, int]:
    """Run a campaign in a process of its own and return its counts.

    A fork of this process would take the threads and the state of the tests with it.
    """
    command = [sys.executable, '-m', 'tests.campaigns', name, *options, '--seed', '7', '--folder', str(folder)]
    command += ['--json', str(folder / 'report.json')]
    environment = dict(os.environ, OMP_NUM_THREADS='1')
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-2000:]
    return json.loads((folder / 'report.json').read_text())['counts']


def test_killed_runs_end_as_the_one_that_was_not(tmp_path):
    scenarios = ('gen_pi', 'train_ripsnet', 'distilled', 'folders')
    counts = campaign(tmp_path, 'kills', '--scenarios', *scenarios, '--runs', '8')
    assert counts['kills'] >= 8 and all(counts[f'runs killed of {name}'] == 2 for name in scenarios)


def test_two_tools_at_once_and_signals(tmp_path):
    counts = campaign(tmp_path, 'concurrency', '--runs', '6')
    assert all(counts[f'pairs of {name}'] == 1 for name in ('gen_pi', 'train_ripsnet', 'plain'))


def test_every_difference_is_found():
    left = dict(a=[1, 2.0], b=dict(c='x'), d=float('nan'))
    assert differences(left, dict(a=[1, 2.0], b=dict(c='x'), d=float('nan'))) == []
    assert differences(left, dict(a=[1, 3.0], b={}, d=0.0)) == ['/a/1: 2.0 and 3.0', '/b/c: missing', '/d: nan and 0.0']
