"""The command line: plans printed, runs at once, failures and signals told, options that do not fit refused."""

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import mmdet.datasets  # noqa: F401  prints a line when it is first imported, as the next one does
import mmpretrain.datasets  # noqa: F401
import pytest
from reproduction_small import CONFIGS, DIGITS, TABLE

from topkd.reproduction.command import add_places, make_queue
from topkd.reproduction.local_queue import LocalQueue
from topkd.reproduction.planner import Planner
from topkd.reproduction.slurm_queue import SlurmQueue

ROOT = CONFIGS.parent


@pytest.fixture
def reproduce(tools, tmp_path, monkeypatch):
    """Return a function that calls reproduce.py in this process with pretended tools and a table of two students."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PYTHONPATH', str(ROOT))
    (tmp_path / 'configs').symlink_to(CONFIGS)
    spec = importlib.util.spec_from_file_location('reproduce', ROOT / 'tools' / 'reproduce.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, 'TOOLS', tools)
    monkeypatch.setitem(module.TABLES, 'table6', TABLE._replace(variants=TABLE.variants[:2]))

    def call(*words: str) -> None:
        arguments = ['table6', '--pairs', DIGITS, '--seeds', '1', '--device', 'cpu', *words]
        monkeypatch.setattr(sys, 'argv', ['reproduce.py', *arguments])
        module.main()

    return call


def places(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_places(parser)
    return parser.parse_args(words)


def test_a_plan_is_printed_without_a_run_or_an_estimate(reproduce, tmp_path, capsys):
    reproduce('--dry-run')
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ['1', 'teacher', 'resnet20_digits'] and lines[-1] == '2 of 2 runs to do'
    assert [line.strip() for line in lines[2:4]] == ['- plain/resnet8_digits/seed0', f'- {DIGITS}/KD/seed0']
    assert not (tmp_path / 'work_dirs').exists() and not (tmp_path / 'results').exists()


def test_failures_are_told_and_the_next_call_goes_on(reproduce, finish, tmp_path, capsys):
    planner = Planner(CONFIGS, Path('work_dirs/reproduce'), [0])
    finish(planner.plan(TABLE, [DIGITS]).jobs['teacher resnet20_digits'])
    failing = tmp_path / f'work_dirs/reproduce/{DIGITS}/KD/seed0'
    failing.mkdir(parents=True)
    (failing / 'fail').write_text('')
    with pytest.raises(SystemExit) as end:
        reproduce('--single', '--jobs', '2')
    said = capsys.readouterr()
    assert end.value.code == 1
    (sentence,) = said.err.splitlines()
    assert sentence.startswith(f"error: '{DIGITS}/KD/seed0' failed: error: no such luck (all that it said: ")
    report = json.loads((tmp_path / f'results/table6_{DIGITS}.json').read_text())
    assert {row['variant']: len(row['runs']) for row in report['rows']} == dict(plain=1, KD=0)
    (failing / 'fail').unlink()
    reproduce('--single')
    said = capsys.readouterr().out
    assert said.count('has started') == 1 and f'3 of 3: {DIGITS}/KD/seed0 is done after' in said
    report = json.loads((tmp_path / f'results/table6_{DIGITS}.json').read_text())
    assert {row['variant']: len(row['runs']) for row in report['rows']} == dict(plain=1, KD=1)


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_runs_with_one_line(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ['table6', '--pairs', DIGITS, '--seeds', '1', '--device', 'cpu']
    process = subprocess.Popen(
        [sys.executable, str(ROOT / 'tools' / 'reproduce.py'), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ, PYTHONPATH=str(ROOT)),
    )
    assert any('1 of ' in line and 'has started' in line for line in process.stdout)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else 143)
    assert (
        errors.strip()
        .splitlines()[-1]
        .endswith('runs done: the jobs have been ended; the same command goes on from their last checkpoints')
    )
    (pickled,) = Path('work_dirs/reproduce/teachers/resnet20_digits/submitit/local').glob('*_submitted.pkl')
    assert not Path('/proc', pickled.name.split('_')[0]).exists()


def test_options_of_places(tools, monkeypatch):
    queue = make_queue(places('--jobs', '3', '--device', 'cpu'), tools)
    assert isinstance(queue, LocalQueue) and (queue.capacity, queue.gpus) == (3, 0)
    for name, value in dict(partition='gpu', time='90', cpus='2', sbatch='a=b').items():
        with pytest.raises(ValueError, match=f'--{name} is of a cluster: give --cluster slurm, or leave it out'):
            make_queue(places(f'--{name}', value), tools)
    with pytest.raises(ValueError, match='--gpus 2: there are 0 GPUs to use here'):
        make_queue(places('--gpus', '2', '--device', 'cpu'), tools)
    with pytest.raises(ValueError, match='--device cuda:1: on a cluster, which chooses GPUs itself, it is cpu or cuda'):
        make_queue(places('--cluster', 'slurm', '--device', 'cuda:1'), tools)
    monkeypatch.setattr('topkd.reproduction.slurm_queue._check_commands', lambda: None)
    queue = make_queue(places('--cluster', 'slurm', '--gpus', '2', '--time', '2-00', '--sbatch', 'mem=32G'), tools)
    assert isinstance(queue, SlurmQueue) and (queue.capacity, queue.gpus, queue.minutes) == (None, 2, 2880)
    assert queue.options == dict(mem='32G') and queue.hardware == 'Slurm, its own partition, 2 GPUs a training'
