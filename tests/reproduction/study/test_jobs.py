"""Cohorts of a stage: their configs, what they need, and what they leave in the ledger."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.registry import MODELS

from topkd.reproduction.study.jobs import StageJobs, cohorts
from topkd.reproduction.study.ledger import METRIC, Ledger
from topkd.reproduction.study.run import StudyRun
from topkd.reproduction.study.stages import STAGES
from topkd.utils.checkpoint import save_file

ROOT = Path(__file__).resolve().parent.parent.parent.parent


@pytest.fixture
def jobs(ledger, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return StageJobs(ledger, tmp_path / 'work')


def runs_of(stage, ledger):
    return STAGES[stage].runs(ledger.study, ledger)


def test_runs_are_cut_into_equal_parts_of_one_pair_and_seed():
    runs = [StudyRun(pair, 'CE', seed) for pair in 'ab' for seed in (0, 1) for _ in range(5)]
    parts = cohorts(runs, 4)
    assert [len(part) for part in parts] == [3, 2] * 4 and sum(parts, []) == runs
    assert all(len({(run.pair, run.seed) for run in part}) == 1 for part in parts)


def test_bases_wait_for_nothing_and_leave_time_for_ripsnets(jobs):
    plan = jobs.plan(STAGES['bases'])
    (cohort,) = plan.cohorts
    assert cohort.needs == () and [run.member for run in cohort.runs] == ['KD-1', 'KD-3']
    assert [name for name in plan.jobs if name != cohort.name] == ['clouds first ripsnet', 'RipsNet first ripsnet']
    assert cohort.config.test_dataloader is None and cohort.config.randomness.seed == 0
    assert {hook['type'] for hook in cohort.config.custom_hooks} & {
        'topkd.CloudRecordHook',
        'topkd.FinalTestHook',
    } == set()


def test_later_cohorts_are_measured_and_only_the_last_are_tested(jobs, ledger, fill):
    for stage in ('bases', 'weights', 'screening'):
        fill(runs_of(stage, ledger), lambda run: 20.0)
    screening, final = jobs.plan(STAGES['screening']), jobs.plan(STAGES['final'])
    assert screening.jobs == {}
    first = final.cohorts[0]
    assert (
        first.needs == ('RipsNet first ripsnet',) and first.runs[0].tested and first.config.test_dataloader is not None
    )
    record, tested = first.config.custom_hooks[-2:]
    assert record.type == 'topkd.CloudRecordHook' and record.clouds == 2 and tested.type == 'topkd.FinalTestHook'
    network = next(job for job in final.jobs.values() if job.name == 'RipsNet first ripsnet')
    assert str(network.artifact.ripsnet) == record.ripsnet
    members = {name: member for job in final.cohorts for name, member in job.config.model.members.items()}
    assert members['KD-1+ripsnet-5'].losses.term.vectorizer.checkpoint == record.ripsnet
    assert (
        members['KD-1+ripsnet-5'].losses.term.loss_weight == 5.0
        and members['KD-1+ripsnet-5'].losses.kd.loss_weight == 1.0
    )
    assert members['CE'].losses == {}
    # what a cohort lacks after some of its runs were filed elsewhere
    fill(first.runs[:1], lambda run: 20.0)
    assert jobs.plan(STAGES['final']).cohorts[0].runs == first.runs[1:]


@pytest.fixture
def train(monkeypatch):
    """Return a function that calls a job's tool in this process."""

    def run(job):
        job.folder.mkdir(parents=True, exist_ok=True)
        job.config.dump(str(job.config_path))
        monkeypatch.setattr(sys, 'argv', [job.tool, str(job.config_path), *job.arguments])
        runpy.run_path(str(ROOT / 'tools' / job.tool), run_name='__main__')

    return run


def test_a_finished_cohort_is_filed_and_never_planned_again(jobs, ledger, train, digits_config, tmp_path):
    torch.manual_seed(0)
    save_file(
        dict(state_dict=MODELS.build(digits_config('baselines/resnet20_digits.py').model).state_dict()), 'teacher.pth'
    )
    (cohort,) = jobs.plan(STAGES['bases']).cohorts
    assert not cohort.has_run()
    train(cohort)
    assert cohort.has_run() and not cohort.is_done()
    cohort.finish()
    assert cohort.is_done() and jobs.plan(STAGES['bases']).jobs == {}
    results = json.loads((cohort.folder / 'results.json').read_text())['members']
    entry = ledger.read(cohort.runs[1])
    assert entry['validation'][METRIC] == results['KD-3']['last'][METRIC] and 'epoch' not in entry['validation']
    assert entry['curve'] == {
        '1': pytest.approx(entry['curve']['1']),
        '2': pytest.approx(entry['validation'][METRIC], abs=1e-3),
    }
    assert not {'test', 'clouds', 'gradient_ratio', 'stopped'} & {key for key, value in entry.items() if value}
    # another folder of runs, as in another clone, changes nothing
    assert StageJobs(Ledger(ledger.folder, ledger.study), tmp_path / 'elsewhere').plan(STAGES['bases']).jobs == {}


def test_a_stopped_member_and_measurements_are_filed(jobs, ledger, fill):
    fill(runs_of('bases', ledger), lambda run: 20.0)
    fill(runs_of('weights', ledger), lambda run: 20.0)
    fill(runs_of('screening', ledger), lambda run: 20.0)
    cohort = jobs.plan(STAGES['final']).cohorts[1]
    one, two, *others = cohort.runs
    last = {METRIC: 30.0, 'epoch': 2, 'iter': 6}
    members = {run.member: dict(last=last, best=last) for run in [one, *others]}
    members[two.member] = dict(last=dict(last, epoch=1), best=last)
    log = cohort.folder / '20260101_000000' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    key = f'{one.member}/gradient_ratio_term'
    records = [dict(step=step, epoch=1 + step // 4, iter=step) | {key: step / 100} for step in range(1, 8)]
    records.append({f'{one.member}/{METRIC}': 30.0, 'step': 2})
    log.write_text('\n'.join(json.dumps(record) for record in records))
    (cohort.folder / 'results.json').write_text(json.dumps(dict(members=members)))
    assert not cohort.has_run()  # not tested yet
    (cohort.folder / 'test.json').write_text(json.dumps({run.member: {METRIC: 29.0} for run in [one, *others]}))
    (cohort.folder / 'clouds.json').write_text(json.dumps({run.member: {'2': dict(seen=0.5)} for run in cohort.runs}))
    assert cohort.has_run()
    cohort.finish()
    found = ledger.read(one)
    assert (
        found['test'] == {METRIC: 29.0} and found['clouds'] == {'2': dict(seen=0.5)} and found['curve'] == {'2': 30.0}
    )
    assert found['gradient_ratio'] == [0.02, 0.055]  # medians of 1, 2, 3 and of 4 to 7
    assert ledger.score(two, 'test') == float('-inf') and cohort.is_done()
