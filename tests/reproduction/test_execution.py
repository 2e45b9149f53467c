"""Running plans by tools that pretend: order, resuming, failures, and a launcher."""

import os
import sys

import pytest
from reproduction_small import CONFIGS, DIGITS, TABLE

from topkd.reproduction.execution import command, environment, hand_over, last_words, prepare, run_job, run_plan
from topkd.reproduction.planner import Planner


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Plan the small table, one seed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PYTHONPATH', str(CONFIGS.parent))
    return Planner(CONFIGS, tmp_path / 'work', [0]).plan(TABLE)


def calls(plan) -> dict:
    """Count how often each training ran."""
    return {
        name: len((job.folder / 'calls.txt').read_text())
        for name, job in plan.jobs.items()
        if (job.folder / 'calls.txt').is_file()
    }


def test_a_plan_runs_once_and_goes_on_after_a_failure(plan, tools):
    said, reports = [], []
    failing = plan.jobs[f'{DIGITS}/no-kd/seed0']
    failing.folder.mkdir(parents=True)
    (failing.folder / 'fail').write_text('')
    with pytest.raises(
        ValueError, match=rf"'{DIGITS}/no-kd/seed0' ended with code 1: error: no such luck .*goes on from there"
    ):
        run_plan(plan, tools, dict(os.environ), said.append, lambda: reports.append(len(plan.missing())))
    assert [job.name for job in plan.missing()] == [f'{DIGITS}/no-kd/seed0', f'{DIGITS}/TopKD/seed0']
    (failing.folder / 'fail').unlink()
    run_plan(plan, tools, dict(os.environ), said.append, lambda: reports.append(len(plan.missing())))
    assert plan.missing() == [] and reports == [6, 5, 4, 3, 2, 1, 0]
    assert set(calls(plan).values()) == {1}
    assert said[0] == '1 of 7: teacher resnet20_digits ...' and '1 of 7: teacher resnet20_digits is done' in said
    log = (failing.folder / 'log.txt').read_text()
    assert log.count('$ ') == 2 and log.endswith('trained\n')


def test_a_call_and_its_environment(plan, tools):
    job = plan.jobs['plain/resnet8_digits/seed0']
    assert command(job, tools) == [
        sys.executable,
        str(tools / 'train.py'),
        str(job.folder / 'config.py'),
        '--work-dir',
        str(job.folder),
        '--resume',
    ]
    assert environment('cpu')['CUDA_VISIBLE_DEVICES'] == '' and environment(None) == dict(os.environ)
    with pytest.raises(ValueError, match="--device must be cpu, cuda or cuda:N, got 'gpu'"):
        environment('gpu')


def test_gpus(monkeypatch):
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    monkeypatch.setattr('torch.cuda.device_count', lambda: 4)
    assert environment('cuda') == dict(os.environ) and environment('cuda:3')['CUDA_VISIBLE_DEVICES'] == '3'
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '5,7')
    monkeypatch.setattr('torch.cuda.device_count', lambda: 2)
    assert environment('cuda:1')['CUDA_VISIBLE_DEVICES'] == '7'
    with pytest.raises(ValueError, match='--device cuda:2 is not there: this machine has 2 GPUs'):
        environment('cuda:2')


def test_a_run_that_another_process_is_at_is_left_alone(plan, tools):
    job = plan.jobs['plain/resnet8_digits/seed0']
    prepare(job)
    (job.folder / 'running.pid').write_text(str(os.getpid()))
    with pytest.raises(ValueError, match=f'is still running as process {os.getpid()}'):
        run_job(job, tools, dict(os.environ))
    (job.folder / 'running.pid').write_text('0x')
    run_job(job, tools, dict(os.environ))
    assert job.is_done() and not (job.folder / 'running.pid').exists()


def test_a_tool_that_ends_well_without_a_result_is_a_failure(plan, tools):
    (tools / 'train.py').write_text("print('nothing done')\n")
    with pytest.raises(ValueError, match='ended without its result .all that it said: '):
        run_job(plan.jobs['plain/resnet8_digits/seed0'], tools, dict(os.environ))


def test_a_launcher_gets_what_can_run_and_each_run_once(plan, tools):
    said = []
    for _ in range(4):
        hand_over(plan, tools, '{command} > /dev/null; echo {name} >> order.txt', dict(os.environ), said.append)
    assert plan.missing() == []
    with open('order.txt') as file:
        order = file.read().split()
    assert order[:2] == ['teacher-resnet20-digits', 'plain-resnet8-digits-seed0'] and len(order) == len(set(order)) == 7
    assert f'{DIGITS}/KD/seed0 waits for' not in ''.join(said)
    assert any(line.startswith('RipsNet') and 'waits for clouds' in line for line in said) is False


def test_a_launcher_that_only_queues(plan, tools):
    said = []
    hand_over(plan, tools, 'true {command}', dict(os.environ), said.append)
    assert f'{DIGITS}/KD/seed0 waits for teacher resnet20_digits: give this command again when that is done' in said
    assert 'plain/resnet8_digits/seed0 handed over' in said
    said.clear()
    hand_over(plan, tools, 'true {command}', dict(os.environ), said.append)
    assert any('plain/resnet8_digits/seed0 was handed over before and is not finished: delete' in line for line in said)
    with pytest.raises(ValueError, match='--launcher must hold {script} or {command}'):
        hand_over(plan, tools, 'sbatch', dict(os.environ), said.append)
    (plan.jobs['plain/resnet8_digits/seed0'].folder / 'handed_over.txt').unlink()
    with pytest.raises(ValueError, match="the launcher ended with code 3 on 'plain"):
        hand_over(plan, tools, 'exit 3; {command}', dict(os.environ), said.append)


def test_a_script_for_a_queue_and_no_second_run_beside_it(plan, tools):
    hand_over(plan, tools, 'cp {script} {name}.sh', dict(os.environ), lambda text: None)
    job = plan.jobs['plain/resnet8_digits/seed0']
    with pytest.raises(ValueError, match='was handed over to a launcher and is not finished: wait for it, or delete'):
        run_job(job, tools, dict(os.environ))
    assert os.system('sh plain-resnet8-digits-seed0.sh > said.txt') == 0 and job.is_done()


def test_last_words(tmp_path):
    log = tmp_path / 'log.txt'
    log.write_text('first\nerror: the cause\nmore\n\n')
    assert last_words(log) == 'error: the cause'
    log.write_text('$ first attempt\nerror: repaired since\n$ second attempt\nnothing\n')
    assert last_words(log) == 'nothing'
    log.write_text('first\nlast\n\n')
    assert last_words(log) == 'last'
    log.write_text('')
    assert last_words(log) == 'no output'
