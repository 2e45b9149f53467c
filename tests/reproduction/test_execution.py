"""Running plans on this machine: order, jobs side by side, failures, kills, and two plans at once."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from steps import TOOL, Step, Steps

from topkd.reproduction.execution import Execution, last_words
from topkd.reproduction.local_queue import LocalQueue
from topkd.reproduction.locks import hold

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Return a function that makes a plan of steps, 'name: needs' by behavior."""
    monkeypatch.setenv('PYTHONPATH', f'{ROOT}{os.pathsep}{Path(__file__).parent}')
    (tmp_path / 'step.py').write_text(TOOL)

    def make(**steps: tuple[str, ...]) -> Steps:
        jobs = {name: Step(name, tmp_path / name, needs, behavior) for name, (behavior, *needs) in steps.items()}
        return Steps(jobs)

    return make


@pytest.fixture
def execute(tmp_path):
    """Return a function that runs a plan to its end and returns the execution and what it said."""

    def run(plan: Steps, jobs: int = 1) -> tuple[Execution, list[str]]:
        said: list[str] = []
        execution = Execution(plan, LocalQueue(tmp_path, jobs), said.append, lambda: said.append('report'))
        assert execution.run() is None
        return execution, said

    return run


def test_jobs_run_in_order_and_once(plan, execute):
    steps = plan(first=('',), second=('', 'first'), third=('', 'first', 'second'))
    execution, said = execute(steps, jobs=2)
    assert execution.failures == {} and steps.missing() == []
    starts = [line for line in said if line.endswith('has started')]
    assert starts == ['1 of 3: first has started', '2 of 3: second has started', '3 of 3: third has started']
    assert said.count('report') == 3 and said.index('2 of 3: second has started') > said.index('report')
    assert execute(steps)[1] == [] and [step.calls() for step in steps.jobs.values()] == [1, 1, 1]


def test_jobs_run_side_by_side_with_their_share_of_the_cores(plan, execute, monkeypatch):
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    monkeypatch.setattr(os, 'cpu_count', lambda: 8)
    steps = plan(one=('waits',), two=('waits',), three=('',))

    def release() -> None:
        while not (steps.jobs['one'].calls() and steps.jobs['two'].calls()):  # both have started before either ends
            time.sleep(0.02)
        for name in ('one', 'two'):
            (steps.jobs[name].folder / 'go').write_text('')

    thread = threading.Thread(target=release, daemon=True)
    thread.start()
    execute(steps, jobs=2)
    thread.join()
    assert steps.missing() == []
    logs = [path.read_text() for path in steps.jobs['one'].folder.glob('submitit/local/*_log.out')]
    assert len(logs) == 1 and 'threads 4 GPUs \n' in logs[0]


def test_a_failure_keeps_only_those_from_running_that_need_it(plan, execute):
    steps = plan(
        bad=('fails',), after=('', 'bad'), later=('', 'after'), worse=('raises',), empty=('nothing',), good=('',)
    )
    execution, said = execute(steps, jobs=2)
    bad, worse, empty = execution.sentences()
    assert bad.startswith("'bad' failed: error: no such luck (all that it said: ") and bad.endswith(
        '_0_log.out); 2 that need it were left out'
    )
    assert worse.startswith("'worse' failed: KeyError: 'a mistake of ours' (")
    assert empty.startswith("'empty' failed: RuntimeError: the tool ended without its result (")
    assert execution.left_out == dict(after='bad', later='bad') and steps.jobs['good'].is_done()
    assert not steps.jobs['after'].folder.exists()
    steps.jobs['bad'].behavior = ''
    steps.jobs['worse'].behavior = steps.jobs['empty'].behavior = ''
    execution, _ = execute(steps)
    assert execution.sentences() == [] and steps.missing() == [] and steps.jobs['good'].calls() == 1


def test_a_killed_job_starts_again(plan, execute):
    steps = plan(unlucky=('killed once',), after=('', 'unlucky'), doomed=('always killed',))
    execution, said = execute(steps)
    assert '1 of 3: unlucky was killed: it starts again and goes on' in said
    assert steps.jobs['unlucky'].calls() == 2 and steps.jobs['after'].is_done()
    assert steps.jobs['doomed'].calls() == 4
    (sentence,) = execution.sentences()
    assert sentence.startswith("'doomed' was killed 4 times: ")


@pytest.mark.parametrize('interrupts', [signal.SIG_IGN, signal.default_int_handler], ids=['background', 'terminal'])
def test_an_interruption_ends_the_jobs(interrupts, plan, tmp_path):
    steps = plan(long=('waits',), after=('', 'long'))
    execution = Execution(steps, LocalQueue(tmp_path), lambda text: None, lambda: None)
    before = signal.signal(signal.SIGTERM, execution.interrupt)
    as_started = signal.signal(signal.SIGINT, interrupts)

    def interrupt() -> None:
        while not steps.jobs['long'].calls():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    try:
        how = execution.run()
        assert signal.getsignal(signal.SIGINT) == interrupts
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, as_started)
    thread.join()
    assert how == 'the jobs have been ended; the same command goes on from their last checkpoints'
    (pickled,) = steps.jobs['long'].folder.glob('submitit/local/*_submitted.pkl')
    with hold([steps.jobs['long'].folder], lambda text: pytest.fail('its process still holds the folder')):
        assert not Path('/proc', pickled.name.split('_')[0]).exists()


def test_a_job_that_another_process_runs_is_waited_for(plan, execute, tmp_path):
    steps = plan(shared=('',), after=('', 'shared'), other=('',))
    shared = steps.jobs['shared']
    said: list[str] = []
    with hold(shared.folders, said.append):
        execution = Execution(steps, LocalQueue(tmp_path), said.append, lambda: None)
        thread = threading.Thread(target=execution.run, daemon=True)
        thread.start()
        while not steps.jobs['other'].is_done():
            time.sleep(0.02)
        shared.prepare()
        (shared.folder / 'made').write_text('')
        shared.finish()
    thread.join()
    assert '1 of 3: shared is being run by another process: waiting for its end' in said
    assert '1 of 3: shared was done by another process' in said
    assert shared.calls() == 0 and steps.jobs['after'].calls() == 1


def test_a_job_whose_other_process_dies_is_run(plan, execute, tmp_path):
    steps = plan(shared=('',))
    said: list[str] = []
    with hold(steps.jobs['shared'].folders, said.append):
        execution = Execution(steps, LocalQueue(tmp_path), said.append, lambda: None)
        thread = threading.Thread(target=execution.run, daemon=True)
        thread.start()
        while not said:
            time.sleep(0.02)
    thread.join()
    assert steps.missing() == [] and steps.jobs['shared'].calls() == 1


def test_last_words(tmp_path):
    log = tmp_path / 'log.txt'
    assert last_words(log) == 'no output'
    log.write_text('first\nerror: the cause\nmore\n\n')
    assert last_words(log) == 'error: the cause'
    log.write_text('$ first attempt\nerror: repaired since\n$ second attempt\nnothing\n')
    assert last_words(log) == 'nothing'
    log.write_text('first\nlast\n\n')
    assert last_words(log) == 'last'
    log.write_text('')
    assert last_words(log) == 'no output'
