"""Which students of a plan are trained together, and how each is filed as a run of its own."""

import json
from pathlib import Path

import pytest
import torch

from topkd.reproduction.cohorts import cohort_job, deal_out, students_beside
from topkd.reproduction.jobs import last_checkpoint
from topkd.reproduction.planned import run_differences
from topkd.reproduction.planner import Planner
from topkd.reproduction.tables import TABLES
from topkd.utils.checkpoint import load_file, save_file

CONFIGS = Path(__file__).resolve().parent.parent.parent / 'configs'
DIGITS = 'resnet20-resnet8_digits'


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Planner(CONFIGS, tmp_path / 'work', (0, 1)).plan(TABLES['table6'], [DIGITS])


def names(jobs):
    return [job.name for job in jobs]


def test_variants_of_a_pair_and_seed_are_one_cohort(plan):
    expected = ['plain/resnet8_digits/seed1', *(f'{DIGITS}/{variant}/seed1' for variant in ('KD', 'no-kd', 'TopKD'))]
    for name in expected:
        assert names(students_beside(plan.jobs[name], plan)) == expected
    for alone in ('teacher resnet20_digits', 'RipsNet resnet20_digits_neck-0_n64_h0'):
        assert names(students_beside(plan.jobs[alone], plan)) == [alone]


def test_another_schedule_is_another_cohort(plan):
    other = plan.jobs[f'{DIGITS}/KD/seed0']
    other.config.optim_wrapper.optimizer.lr = 0.5
    assert names(students_beside(other, plan)) == [other.name]  # its teacher has no other student of this schedule
    assert other.name not in names(students_beside(plan.jobs[f'{DIGITS}/TopKD/seed0'], plan))


def test_members_have_the_losses_and_students_of_their_runs(plan, tmp_path):
    jobs = students_beside(plan.jobs[f'{DIGITS}/KD/seed0'], plan)
    cohort = cohort_job(jobs, tmp_path)
    members = cohort.config.model.members
    assert {name: sorted(member.losses) for name, member in members.items()} == {
        'plain-resnet8_digits': [],
        f'{DIGITS}-KD': ['kd'],
        f'{DIGITS}-no-kd': ['topology'],
        f'{DIGITS}-TopKD': ['kd', 'topology'],
    }
    assert cohort.config.model.teacher == jobs[1].config.model.teacher
    assert set(cohort.needs) == {need for job in jobs for need in job.needs}
    assert cohort.folder == cohort_job(jobs, tmp_path).folder != cohort_job(jobs[:3], tmp_path).folder


def test_finished_members_are_filed_as_single_runs(plan, tmp_path):
    jobs = students_beside(plan.jobs[f'{DIGITS}/KD/seed0'], plan)
    cohort = cohort_job(jobs, tmp_path)
    assert not cohort.is_done()
    epochs = cohort.config.train_cfg.max_epochs
    state, results = {}, {}
    for number, member in enumerate(cohort.config.model.members):
        state[f'members.{member}.student.head.fc.weight'] = torch.full((2,), float(number))
        state[f'members.{member}.losses.topology.scale'] = torch.tensor(5.0)
        figures = {'accuracy/top1': 90.0 + number, 'epoch': epochs}
        results[member] = dict(last=figures, best=figures)
    save_file(dict(meta=dict(epoch=epochs, iter=9), state_dict=state), str(last_checkpoint(cohort)))
    content = dict(monitor='accuracy/top1', seed=0, members=results, teacher={'accuracy/top1': 99.0})
    (cohort.folder / 'results.json').write_text(json.dumps(content))
    assert cohort.is_done()
    deal_out(cohort, jobs)
    for number, job in enumerate(jobs):
        assert job.is_done() and run_differences(job.config, job.folder) == []
        own = json.loads((job.folder / 'results.json').read_text())
        assert own['last']['accuracy/top1'] == 90.0 + number and own['seed'] == 0
        assert ('teacher' in own) == (number > 0)
        weights = load_file(str(last_checkpoint(job)))['state_dict']
        expected = {'head.fc.weight'} if number == 0 else {'student.head.fc.weight', 'losses.topology.scale'}
        assert set(weights) == expected
    assert students_beside(plan.jobs[f'{DIGITS}/KD/seed1'], plan)[0].name == 'plain/resnet8_digits/seed1'
