"""Wheel and source distribution: what is inside, and that the wheel runs in an environment of its own."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ('topkd', 'configs', 'tools', 'pyproject.toml', 'setup.py', 'MANIFEST.in', 'README.md', 'LICENSE')
HOSTS = ('mmengine', 'mmcv', 'mmdet', 'mmpretrain')
SYMLINK = 0o120000
BUILD = 'import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])'

setuptools = pytest.importorskip('setuptools', minversion='77', reason='the build back end is not installed')


def files(folder: str, pattern: str) -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(pattern) if path.is_file()}


def build(kind: str, source: Path, out: Path) -> Path:
    """Build with the back end that pyproject.toml names, as pip does, without an environment of its own."""
    subprocess.run([sys.executable, '-c', BUILD, kind, out], cwd=source, check=True, capture_output=True)
    (made,) = out.iterdir()
    return made


@pytest.fixture(scope='module')
def sdist(tmp_path_factory) -> Path:
    source = tmp_path_factory.mktemp('source')
    leave = shutil.ignore_patterns('__pycache__', '*.egg-info')
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=leave)
        else:
            shutil.copy(ROOT / name, source)
    return build('build_sdist', source, tmp_path_factory.mktemp('sdist'))


@pytest.fixture(scope='module')
def wheel(sdist, tmp_path_factory) -> Path:
    """Build the wheel from the unpacked source distribution, not from the repository."""
    source = tmp_path_factory.mktemp('unpacked')
    with tarfile.open(sdist) as archive:
        archive.extractall(source, filter='data')
    (top,) = source.iterdir()
    return build('build_wheel', top, tmp_path_factory.mktemp('wheel'))


@pytest.fixture(scope='module')
def environment(wheel, tmp_path_factory) -> Path:
    """Make an empty environment with nothing but the wheel."""
    folder = tmp_path_factory.mktemp('environment')
    venv.create(folder, with_pip=False)
    pip = [sys.executable, '-m', 'pip', '--python', folder / 'bin' / 'python', 'install', '--quiet']
    subprocess.run([*pip, '--no-deps', '--no-index', wheel], check=True, capture_output=True)
    return folder


def run(environment: Path, *words: str, packages: bool = False) -> subprocess.CompletedProcess:
    """Run something of the environment from a folder where no sources lie; ``packages``: beside those of this one."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(('PYTHON', 'TOPKD'))}
    if packages:
        # a search path does not run the .pth files in it, such as the one of an editable installation
        (own,) = environment.glob('lib/python*/site-packages')
        clean['PYTHONPATH'] = os.pathsep.join(
            [str(own), *(path for path in sys.path if path.endswith('site-packages'))]
        )
    return subprocess.run(
        [environment / 'bin' / words[0], *words[1:]], cwd=environment, env=clean, capture_output=True, text=True
    )


def test_source_distribution_holds_files_and_no_links(sdist):
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    assert not [member.name for member in members if member.issym() or member.islnk()]
    names = {member.name.split('/', 1)[1] for member in members if member.isfile()}
    assert {'LICENSE', 'README.md', 'pyproject.toml', 'topkd/py.typed'} | files('topkd', '*.json') <= names
    assert not any(name.startswith('tests') for name in names)


def test_wheel_holds_package_configs_and_tools_and_no_links(wheel):
    with zipfile.ZipFile(wheel) as archive:
        infos = archive.infolist()
    assert not [info.filename for info in infos if (info.external_attr >> 16) & 0o170000 == SYMLINK]
    names = {info.filename for info in infos}
    own = {name for name in files('topkd', '*.py') if not name.startswith('topkd/.mim/')}
    shipped = {
        f'topkd/.mim/{name}' for name in files('configs', '*.py') | files('tools', '*.py') | files('tools', '*.sh')
    }
    assert own and shipped and own | shipped | {'topkd/py.typed'} | files('topkd', '*.json') <= names
    assert {'topkd/.mim/model-index.yml', 'topkd/.mim/configs/metafile.yml'} <= names
    assert not [name for name in names if '__pycache__' in name or name.startswith(('tests', 'configs', 'tools'))]


def test_doctor_in_an_empty_environment(environment):
    done = run(environment, 'topkd', 'doctor')
    assert done.returncode == 1 and done.stderr == ''
    assert str(environment) in done.stdout.splitlines()[0]
    assert 'torch: pip install torch torchvision' in done.stdout
    assert "hosts: pip install 'topkd[onedl]'" in done.stdout


def test_tools_are_known_without_any_package(environment):
    done = run(environment, 'topkd', '--help')
    assert done.returncode == 0
    for name in ('train', 'test', 'gen-pi', 'export-student', 'export-onnx', 'compare', 'bottleneck'):
        assert name in done.stdout


WITHOUT_HOSTS = f"""
import sys
sys.modules.update(dict.fromkeys({HOSTS}))
import torch, topkd.topology
deaths = topkd.topology.rips_h0(torch.tensor([[[0.0, 0.0], [3.0, 4.0], [3.0, 5.0]]]))
print(topkd.topology.__file__, deaths.tolist())
"""


def test_topology_without_host_toolboxes(environment):
    done = run(environment, 'python', '-c', WITHOUT_HOSTS, packages=True)
    assert done.returncode == 0, done.stderr
    file, deaths = done.stdout.split(' ', 1)
    assert Path(file).is_relative_to(environment)
    assert json.loads(deaths) == [[1.0, 5.0]]


def test_tools_and_configs_by_the_name_of_the_package(environment):
    config = 'topkd::topkd/resnet56-resnet20_cifar100_exact.py'
    done = run(environment, 'topkd', 'export-student', config, 'missing.pth', 'student.pth', packages=True)
    # what the hosts warn of comes before
    said = done.stderr.splitlines()[-1]
    assert done.returncode == 1 and said.startswith("error: checkpoint 'missing.pth' does not exist"), done.stderr
