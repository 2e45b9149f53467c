"""Running plans on Slurm: by a stand-in for its commands everywhere, and by Slurm itself where sinfo answers."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import pytest
import submitit
from steps import TOOL, Step, Steps
from submitit.slurm.slurm import SlurmInfoWatcher

from topkd.reproduction.execution import Execution
from topkd.reproduction.slurm_queue import COMMANDS, SlurmQueue, read_minutes

HERE = Path(__file__).resolve().parent
has_slurm = shutil.which('sinfo') is not None and subprocess.run(['sinfo'], capture_output=True).returncode == 0
real = pytest.param('real', id='installed', marks=pytest.mark.skipif(not has_slurm, reason='sinfo does not answer'))


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Put the stand-in's commands first on the path."""
    (tmp_path / 'bin').mkdir()
    (tmp_path / 'slurm').mkdir()
    for name in COMMANDS:
        path = tmp_path / 'bin' / name
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {HERE / "slurm_stand_in.py"} {name} "$@"\n')
        path.chmod(0o755)
    monkeypatch.setenv('PATH', f'{tmp_path / "bin"}{os.pathsep}{os.environ["PATH"]}')
    monkeypatch.setenv('STAND_IN', str(tmp_path / 'slurm'))


@pytest.fixture(params=['stand-in', real])
def slurm(request, tmp_path, monkeypatch):
    """Return a function that makes an execution of a plan on Slurm; all jobs are canceled in the end."""
    if request.param == 'stand-in':
        request.getfixturevalue('stand_in')
    monkeypatch.setenv('PYTHONPATH', f'{HERE.parents[1]}{os.pathsep}{HERE}')
    monkeypatch.setattr(submitit.SlurmJob, 'watcher', SlurmInfoWatcher(delay_s=0.2))
    (tmp_path / 'step.py').write_text(TOOL)
    executions = []

    def make(plan: Steps, **options) -> tuple[Execution, list[str]]:
        said: list[str] = []
        queue = SlurmQueue(tmp_path, gpus=0, minutes=10, **options)
        executions.append(Execution(plan, queue, said.append, lambda: None))
        return executions[-1], said

    yield make
    for execution in executions:
        for job in execution.submitted.values():
            job.cancel(check=False)


def steps(folder: Path, **specs: tuple[str, ...]) -> Steps:
    return Steps({name: Step(name, folder / name, tuple(needs), how) for name, (how, *needs) in specs.items()})


def until(condition) -> None:
    end = time.monotonic() + 200
    while not condition():
        assert time.monotonic() < end, 'it never came to pass'
        time.sleep(0.05)


def test_the_whole_plan_is_lined_up_and_failures_keep_to_themselves(slurm, tmp_path):
    plan = steps(
        tmp_path,
        first=('waits',),
        bad=('fails', 'first'),
        after=('', 'bad'),
        later=('', 'after', 'bad'),
        unlucky=('killed once', 'first'),
        behind=('', 'unlucky'),
    )
    execution, said = slurm(plan)

    def release() -> None:
        until(lambda: len(said) == 6)  # all of them before any has ended
        until(lambda: plan.jobs['first'].calls())
        (tmp_path / 'first' / 'go').write_text('')

    thread = Thread(target=release, daemon=True)
    thread.start()
    assert execution.run() is None
    thread.join()
    assert all(' is in the queue as job ' in line for line in said[:6])
    (sentence,) = execution.sentences()
    assert sentence.startswith("'bad' failed: error: no such luck (all that it said: ")
    assert sentence.endswith('_0_log.out); 2 that need it were left out')
    assert [job.name for job in plan.missing()] == ['bad', 'after', 'later']
    assert plan.jobs['unlucky'].calls() == 2 and plan.jobs['behind'].calls() == 1
    assert plan.jobs['after'].calls() == plan.jobs['later'].calls() == 0


def test_a_preempted_job_is_lined_up_again_and_a_canceled_one_is_not(slurm, tmp_path):
    plan = steps(tmp_path, long=('waits',), after=('', 'long'), gone=('waits',))
    execution, said = slurm(plan)
    numbers = {}

    def disturb() -> None:
        until(lambda: plan.jobs['long'].calls() and plan.jobs['gone'].calls())
        numbers.update({name: job.job_id for name, job in execution.submitted.items()})
        subprocess.run(['scancel', numbers['gone']], check=True)
        subprocess.run(['scancel', numbers['long'], '--signal', 'USR2'], check=True)  # as Slurm does before its limit
        until(lambda: plan.jobs['long'].calls() == 2)
        (tmp_path / 'long' / 'go').write_text('')

    thread = Thread(target=disturb, daemon=True)
    thread.start()
    assert execution.run() is None
    thread.join()
    (sentence,) = execution.sentences()
    assert sentence.startswith("'gone' was canceled (all that it said: ")
    assert plan.jobs['after'].is_done() and not any('killed' in line for line in said)
    log = tmp_path / 'long' / 'submitit' / 'slurm' / f'{numbers["long"]}_0_log.out'
    assert log.read_text().count('$ python') == 2


def test_jobs_go_on_without_the_command_and_are_found_again(slurm, tmp_path):
    plan = steps(tmp_path, long=('waits',), after=('', 'long'))
    execution, said = slurm(plan)
    stop = Thread(target=lambda: (until(plan.jobs['long'].calls), execution.interrupt(signal.SIGINT)), daemon=True)
    stop.start()
    how = execution.run()
    numbers = ' '.join(job.job_id for job in execution.submitted.values())
    assert len(numbers.split()) == 2 and how == (
        f'the queue goes on by itself, the same command looks after it again, and scancel {numbers} ends it'
    )
    again, said = slurm(plan)
    release = (tmp_path / 'long' / 'go').write_text
    thread = Thread(target=lambda: (until(lambda: len(said) == 2), release('')), daemon=True)
    thread.start()
    assert again.run() is None and again.sentences() == [] and plan.missing() == []
    first, second = numbers.split()
    assert said[0] == f'1 of 2: long is in the queue as job {first}'
    assert said[1] == f'2 of 2: after is in the queue as job {second}'
    assert plan.jobs['long'].calls() == plan.jobs['after'].calls() == 1


def test_a_job_that_the_accounts_do_not_know_yet_is_not_submitted_again(stand_in, tmp_path, monkeypatch):
    monkeypatch.setattr(submitit.SlurmJob, 'watcher', SlurmInfoWatcher(delay_s=0.2))
    (tmp_path / 'step.py').write_text(TOOL)
    queue = SlurmQueue(tmp_path, gpus=0)
    plan = steps(tmp_path, long=('waits',), new=('waits',))
    submitted = {name: queue.submit(job) for name, job in plan.jobs.items()}
    try:
        (tmp_path / 'accounts lag').write_text('')
        found = queue.find(plan.jobs.values())
        assert {name: job.job_id for name, job in found.items()} == {n: job.job_id for n, job in submitted.items()}
    finally:
        for job in submitted.values():
            job.cancel()
    until(lambda: queue.find(plan.jobs.values()) == {})  # canceled: the controller says so


def test_what_a_job_asks_of_slurm(stand_in, tmp_path, monkeypatch):
    monkeypatch.setattr(submitit.SlurmJob, 'watcher', SlurmInfoWatcher(delay_s=0.2))
    queue = SlurmQueue(tmp_path, None, 2, 'gpu', 90, 4, dict(account='vision'))
    plan = steps(tmp_path, train=('',), analysis=('', 'train'))
    plan.jobs['train'].batch_size = 64
    first = queue.submit(plan.jobs['train'])
    second = queue.submit(plan.jobs['analysis'], [first])
    scripts = [job.paths.submission_file.read_text() for job in (first, second)]
    for job in (second, first):
        job.cancel()
    for script in scripts:
        for line in ('partition=gpu', 'time=90', 'cpus-per-task=4', 'account=vision', 'requeue'):
            assert f'#SBATCH --{line}\n' in script
    assert '--gpus-per-node=2\n' in scripts[0] and '--gpus-per-node=1\n' in scripts[1]
    assert f'#SBATCH --dependency=afterok:{first.job_id}\n' in scripts[1]
    assert 'job-name=train\n' in scripts[0] and 'dependency' not in scripts[0]
    plan.jobs['train'].batch_size = 63
    with pytest.raises(
        ValueError, match="the 63 images of a batch of 'train' cannot be shared by --gpus 2: take a divi"
    ):
        queue.submit(plan.jobs['train'])


def test_what_slurm_refuses(stand_in, tmp_path, monkeypatch):
    plan = steps(tmp_path, train=('',))
    execution = Execution(plan, SlurmQueue(tmp_path, partition='nowhere'), lambda text: None, lambda: None)
    assert execution.run() is None
    (sentence,) = execution.sentences()
    assert sentence == (
        "the queue refused 'train': sbatch: error: Batch job submission failed: Invalid partition name specified"
    )
    (tmp_path / 'no accounts').write_text('')
    with pytest.raises(
        ValueError, match="sacct, which says 'Slurm accounting storage is disabled': Slurm needs its acc"
    ):
        SlurmQueue(tmp_path)
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(ValueError, match='--cluster slurm needs sbatch, srun, sacct, scancel, scontrol: give it on a '):
        SlurmQueue(tmp_path)


def test_limits_of_time():
    texts = ('90', '0:30:00', '12:00:00', '2-00', '1-12:30', '2-12:00:00')
    assert [read_minutes(text) for text in texts] == [90, 30, 720, 2880, 2190, 3600]
    for text in ('', '0', '1:30', 'a day', '-5', '00:00:30'):
        with pytest.raises(ValueError, match=f"expected a time limit as 90 .minutes., .* got '{text}'"):
            read_minutes(text)
