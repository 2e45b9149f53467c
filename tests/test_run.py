"""run.py: which environment it sets up for which hosts, what it installs there and when, and what it runs."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Return a function that calls run.py in a folder of its own; it returns the exit code and the commands given."""
    (tmp_path / 'requirements').mkdir()
    for name in ('tested.txt', 'openmmlab.txt'):
        (tmp_path / 'requirements' / name).write_text((ROOT / 'requirements' / name).read_text())
    (tmp_path / 'run.py').write_text((ROOT / 'run.py').read_text())

    def call(*words: str, fails: str = '') -> tuple[int, list[list[str]]]:
        given: list[list[str]] = []

        def pretend(command, check=False, cwd=None):
            given.append([str(word).replace(f'{tmp_path}/', '') for word in command])
            code = int(bool(fails) and fails in command)
            if code and check:
                raise subprocess.CalledProcessError(code, command)
            return subprocess.CompletedProcess(command, 3 if code else 0)

        def make(folder, **options):
            Path(folder).mkdir(exist_ok=True)

        monkeypatch.setattr(subprocess, 'run', pretend)
        monkeypatch.setattr('venv.create', make)
        monkeypatch.setattr(sys, 'argv', ['run.py', *words])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(tmp_path / 'run.py'), run_name='__main__')
        return end.value.code, given

    return call


def installs(given: list[list[str]]) -> list[list[str]]:
    """Return what follows ``pip install --quiet ...`` of the commands that install."""
    return [words[words.index('--disable-pip-version-check') + 1 :] for words in given if 'pip' in words]


def test_forks_are_installed_once(run, tmp_path):
    code, given = run('test', 'tests/test_run.py', '-k', 'x')
    assert code == 0
    assert installs(given) == [
        ['--requirement', 'requirements/tested.txt'],
        ['--no-deps', '--no-build-isolation', '--editable', str(tmp_path)],
    ]
    job = ['.venv/bin/python', '-m', 'pytest', '-n', '2', '--dist', 'loadfile', 'tests/test_run.py', '-k', 'x']
    assert given[-1] == job
    code, given = run('digits')
    assert code == 0 and given == [['.venv/bin/python', 'tools/digits.py']]
    (tmp_path / 'requirements' / 'tested.txt').write_text('torch==9\n')
    assert len(installs(run('digits')[1])) == 2


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="OpenMMLab's packages end at Python 3.12")
def test_openmmlab_has_an_environment_of_its_own_that_follows_the_sources(run, tmp_path):
    (tmp_path / 'build' / 'lib' / 'topkd').mkdir(parents=True)
    copied = ['--no-deps', '--no-build-isolation', '--force-reinstall', str(tmp_path)]
    code, given = run('test', '--hosts', 'openmmlab', '-x')
    assert code == 0
    assert installs(given) == [
        ['setuptools>=77,<81', 'wheel'],
        ['--no-build-isolation', '--requirement', 'requirements/openmmlab.txt'],
        copied,
    ]
    assert {words[0] for words in given} == {'.venv-openmmlab/bin/python'} and given[-1][-1] == '-x'
    assert not (tmp_path / 'build' / 'lib').exists()
    assert installs(run('test', '--hosts', 'openmmlab')[1]) == [copied]
    assert not (tmp_path / '.venv').exists()


def test_failed_installation_is_said_and_begun_anew(run, capsys):
    code, given = run('test', fails='--requirement')
    assert code == 1 and len(given) == 1
    assert 'error: the installation failed (pip ended with 1, see above)' in capsys.readouterr().err
    assert len(installs(run('test')[1])) == 2


def test_exit_code_is_that_of_the_job(run):
    assert run('test', fails='pytest')[0] == 3


@pytest.mark.parametrize('words', [(), ('other',), ('test', '--hosts', 'other')])
def test_usage(run, capsys, words):
    code, given = run(*words)
    assert code == 2 and not given
    usage = 'usage: python run.py {digits,scenes,test,docs} [--hosts {onedl,openmmlab}] [arguments of the job]'
    assert usage in ' '.join(capsys.readouterr().err.split())


def test_python_is_checked_before_anything_is_installed(run, monkeypatch, capsys):
    for words, version, newest in (
        (('test',), (3, 14), '3.13'),
        (('test', '--hosts', 'openmmlab'), (3, 13), '3.12'),
        (('test',), (3, 9), '3.13'),
    ):
        monkeypatch.setattr(sys, 'version_info', (*version, 0))
        code, given = run(*words)
        assert code == 1 and not given
        assert f'error: Python 3.10 to {newest} is needed' in capsys.readouterr().err


def test_requirements_name_the_versions_of_the_extra():
    listed = (ROOT / 'requirements' / 'openmmlab.txt').read_text().splitlines()
    declared = (ROOT / 'pyproject.toml').read_text().split('\nopenmmlab = [')[1].split(']')[0]
    for name in ('mmengine', 'mmcv-lite', 'mmdet', 'mmpretrain'):
        (line,) = [line for line in listed if line.startswith(f'{name}==')]
        assert f'"{line}"' in declared
