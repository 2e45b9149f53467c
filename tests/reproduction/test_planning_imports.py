"""What planning a table must not load, as each takes a second of every call."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HEAVY = ('torchvision', 'torch._dynamo', 'matplotlib', 'mmpretrain.models')
PROGRAM = f"""
import sys
import mmengine.config, mmengine.runner
before = set(sys.modules)  # some versions of MMEngine load the compiler themselves
import reproduce
sys.argv = ['reproduce.py', 'table1', '--dry-run', '--work-dir', 'work']
shown = reproduce.show

def show(plan):
    shown(plan)
    print('loaded:', [name for name in {HEAVY} if name in set(sys.modules) - before])
    sys.exit()

reproduce.show = show
reproduce.main()
"""


def test_a_plan_is_shown_before_data_sets_networks_and_plots_are_loaded(tmp_path):
    paths = dict(PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / 'tools')]))
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM], cwd=tmp_path, env={**os.environ, **paths}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert 'runs to do' in done.stdout and done.stdout.splitlines()[-1] == 'loaded: []'
