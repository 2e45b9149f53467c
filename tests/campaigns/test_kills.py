"""The short form of the campaign of kills: some points of every kind of run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .outcome import differences

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize('scenario, kills', [('gen_pi', 6), ('train_ripsnet', 3), ('distilled', 6), ('folders', 4)])
def test_killed_runs_end_as_the_one_that_was_not(tmp_path, scenario, kills):
    # a process of its own: a fork of this one would take the threads and the state of the tests with it
    command = [sys.executable, '-m', 'tests.campaigns', 'kills', '--scenarios', scenario]
    command += ['--runs', str(kills), '--seed', '7', '--folder', str(tmp_path), '--json', str(tmp_path / 'report.json')]
    result = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ, OMP_NUM_THREADS='1'), capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-2000:]
    counts = json.loads((tmp_path / 'report.json').read_text())['counts']
    assert counts['kills'] >= kills and counts[f'runs killed of {scenario}'] == kills


def test_every_difference_is_found():
    left = dict(a=[1, 2.0], b=dict(c='x'), d=float('nan'))
    assert differences(left, dict(a=[1, 2.0], b=dict(c='x'), d=float('nan'))) == []
    assert differences(left, dict(a=[1, 3.0], b={}, d=0.0)) == ['/a/1: 2.0 and 3.0', '/b/c: missing', '/d: nan and 0.0']
