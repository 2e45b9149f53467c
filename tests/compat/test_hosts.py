"""Host toolboxes that are missing: one sentence with both commands, and topology that needs none of them."""

import re
import subprocess
import sys

import pytest

import topkd
from topkd.compat.hosts import HOSTS, MissingHostFinder, is_installed, missing_hosts

ROOT = topkd.__path__[0] + '/..'
# a machine without them: no finder but topkd's own knows these names
WITHOUT = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.split('.')[0] in {hidden!r} else self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
sys.path.insert(0, {root!r})
"""


HIDDEN = [*HOSTS, 'torchvision', 'matplotlib', 'sklearn', 'pycocotools']
# all requirements but torch, numpy and scipy
ALL_ELSE = [*HIDDEN, 'gudhi', 'submitit', 'filelock', 'PIL', 'pandas', 'cv2']


def run(code: str, hidden: list[str] = HIDDEN) -> subprocess.CompletedProcess:
    start = WITHOUT.format(hidden=hidden, root=ROOT)
    return subprocess.run([sys.executable, '-c', start + code], capture_output=True, text=True)


def test_all_are_here():
    assert missing_hosts() == [] and not is_installed('no_such_module')


def test_finder_refuses_hosts_and_knows_nothing_else():
    finder = MissingHostFinder()
    assert finder.find_spec('no_such_module') is None and finder.find_spec('mmcv.ops') is None
    with pytest.raises(ModuleNotFoundError, match="mmdet, which is not installed: pip install 'topkd.onedl.'"):
        finder.find_spec('mmdet')


def test_topology_needs_no_host():
    done = run(
        'import torch\n'
        'from topkd.topology import PersistenceImager, rips_diagrams, rips_h0\n'
        'points = torch.rand(3, 8, 2)\n'
        'print(PersistenceImager().fit(rips_diagrams(points))(rips_diagrams(points)).shape, rips_h0(points).shape)\n'
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == 'torch.Size([3, 400]) torch.Size([3, 7])'


def test_topology_and_the_cores_of_losses_need_torch_numpy_and_scipy_alone():
    done = run(
        'import importlib, pkgutil, torch, topkd.functional\n'
        'from topkd.functional import at, kd\n'
        'from topkd.topology import PersLay, as_diagrams, rips_h0, wasserstein_distance\n'
        'for info in pkgutil.iter_modules(topkd.functional.__path__):\n'
        "    importlib.import_module(f'topkd.functional.{info.name}')\n"
        'maps, logits = torch.rand(2, 16, 8, 8), torch.rand(2, 10)\n'
        'print(float(kd.kd_divergence(logits, logits, tau=4.0) + at.attention_distance(maps, maps)))\n'
        'diagrams = as_diagrams(rips_h0(torch.rand(3, 8, 2)))\n'
        'print(PersLay(5).fit(diagrams)(diagrams).shape, wasserstein_distance(diagrams, diagrams).tolist())\n'
        'import sys\n'
        f'print([name for name in sys.modules if name in {ALL_ELSE!r}])\n',
        ALL_ELSE,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split('\n')[:3] == ['0.0', 'torch.Size([3, 5]) [0.0, 0.0, 0.0]', '[]']


def test_models_without_hosts_say_what_to_install():
    done = run('import topkd.models\n')
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert re.match(r'ModuleNotFoundError: topkd needs mm\w+, which is not installed: ', last)
    assert 'topkd[onedl]' in last and 'topkd[openmmlab]' in last


def test_doctor_works_without_hosts():
    done = run("import sys\nsys.argv = ['topkd', 'doctor']\nfrom topkd.command.main import main\nmain()\n")
    assert done.returncode == 1 and 'Traceback' not in done.stderr, done.stderr
    assert 'missing: mmengine, mmcv, mmdet, mmpretrain' in done.stdout
    assert 'topkd[onedl]' in done.stdout and 'topkd[openmmlab]' in done.stdout
