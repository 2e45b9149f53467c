"""Which students of a plan are trained together, and how each is filed as a run of its own."""

import json
from pathlib import Path

import pytest
import torch

from topkd.reproduction.call import Call
from topkd.reproduction.cohorts import cohort, together
from topkd.reproduction.config_differences import run_differences
from topkd.reproduction.jobs import last_checkpoint
from topkd.reproduction.planner import Planner
from topkd.reproduction.tables import TABLES
from topkd.utils.checkpoint import load_file, save_file
from topkd.utils.student_state import student_path

CONFIGS = Path(__file__).resolve().parent.parent.parent / 'configs'
DIGITS = 'resnet20-resnet8_digits'


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Planner(CONFIGS, tmp_path / 'work', (0, 1)).plan(TABLES['table6'], [DIGITS])


def students(plan, seed=0):
    """Return the students of a seed."""
    names = ['plain/resnet8_digits', *(f'{DIGITS}/{variant}' for variant in ('KD', 'no-kd', 'TopKD'))]
    return [plan.jobs[f'{name}/seed{seed}'] for name in names]


def finish(job, stopped=()):
    """Write what the training of a cohort leaves behind, with some members stopped after their third epoch."""
    epochs = job.config.train_cfg.max_epochs
    state, results = {}, {}
    for number, member in enumerate(job.config.model.members):
        state[f'members.{member}.student.head.fc.weight'] = torch.full((2,), float(number))
        state[f'members.{member}.losses.topology.scale'] = torch.tensor(5.0)
        figures = {'accuracy/top1': 90.0 + number, 'epoch': 3 if member in stopped else epochs}
        results[member] = dict(last=figures, best=figures)
    save_file(dict(meta=dict(epoch=epochs, iter=9), state_dict=state), str(last_checkpoint(job)))
    content = dict(monitor='accuracy/top1', seed=0, members=results, teacher={'accuracy/top1': 99.0})
    if stopped:
        content['stopped'] = list(stopped)
    (job.folder / 'results.json').write_text(json.dumps(content))


def test_variants_of_a_pair_and_seed_are_one_cohort(plan, tmp_path):
    made = together(plan, tmp_path)
    cohorts = [job for job in made.jobs.values() if job.members]
    assert [[member.name for member in job.members] for job in cohorts] == [
        [job.name for job in students(plan, seed)] for seed in (0, 1)
    ]
    assert [type(job).__name__ for job in made.jobs.values()] == [
        'Training',
        'Clouds',
        'RipsNetTraining',
        'CohortTraining',
        'CohortTraining',
    ]
    assert made.find(f'{DIGITS}/KD/seed1') is plan.jobs[f'{DIGITS}/KD/seed1'] and made.rows == plan.rows


def test_another_schedule_is_another_cohort(plan, tmp_path):
    other = plan.jobs[f'{DIGITS}/KD/seed0']
    other.config.optim_wrapper.optimizer.lr = 0.5
    made = together(plan, tmp_path)  # its teacher has no other student of this schedule
    assert made.jobs[other.name] == other
    assert other.name not in made.members and f'{DIGITS}/TopKD/seed0' in made.members


def test_another_teacher_is_another_cohort_and_plain_students_join_the_first(plan, tmp_path):
    for variant in ('no-kd', 'TopKD'):
        plan.jobs[f'{DIGITS}/{variant}/seed0'].config.model.teacher.checkpoint = 'other.pth'
    made = together(plan, tmp_path)
    found = [[member.name for member in job.members] for job in made.jobs.values() if job.members]
    plain, kd, no_kd, topkd = [job.name for job in students(plan)]
    assert [plain, kd] in found and [no_kd, topkd] in found


def test_what_needs_a_member_needs_its_cohort_and_comes_after_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = together(Planner(CONFIGS, tmp_path / 'work', (0,)).plan(TABLES['table20'], [DIGITS]), tmp_path)
    *_, ripsnet, cohort_name, analysis = plan.jobs
    assert plan.jobs[analysis].needs == (cohort_name, ripsnet)
    assert plan.jobs[cohort_name].needs == ('teacher resnet20_digits', ripsnet)


def test_a_finished_student_is_not_trained_again(plan, tmp_path):
    jobs = students(plan)
    for job in jobs[:2]:
        job.folder.mkdir(parents=True)
        figures = {'accuracy/top1': 90.0, 'epoch': 24}
        (job.folder / 'results.json').write_text(json.dumps(dict(last=figures, best=figures)))
    made = together(plan, tmp_path)
    first = next(job for job in made.jobs.values() if job.members)
    assert [member.name for member in first.members] == [job.name for job in jobs[2:]]
    figures = {'accuracy/top1': 90.0, 'epoch': 24}
    jobs[2].folder.mkdir(parents=True)
    (jobs[2].folder / 'results.json').write_text(json.dumps(dict(last=figures, best=figures)))
    made = together(plan, tmp_path)  # the only one that is missing is a run of its own
    assert jobs[3] in made.missing() and jobs[3].name not in made.members


def test_members_are_named_after_their_runs_in_words_good_for_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = tmp_path / 'half v1.5.py'
    own.write_text(f"_base_ = '{CONFIGS / 'topkd' / DIGITS}.py'\n")
    plan = Planner(CONFIGS, tmp_path / 'work', (0,)).plan(TABLES['digits'], [str(own)])
    made = next(job for job in together(plan, tmp_path).jobs.values() if job.members)
    assert list(made.config.model.members)[:2] == ['plain-half_v1_5', 'half_v1_5-KD']


def test_members_have_the_losses_and_students_of_their_runs(plan, tmp_path):
    jobs = students(plan)
    made = cohort(jobs, tmp_path)
    members = made.config.model.members
    assert {name: sorted(member.losses) for name, member in members.items()} == {
        'plain-resnet8_digits': [],
        f'{DIGITS}-KD': ['kd'],
        f'{DIGITS}-no-kd': ['topology'],
        f'{DIGITS}-TopKD': ['kd', 'topology'],
    }
    assert made.config.model.teacher == jobs[1].config.model.teacher
    assert set(made.needs) == {need for job in jobs for need in job.needs}
    assert made.folder == cohort(jobs, tmp_path).folder != cohort(jobs[:3], tmp_path).folder


def test_finished_members_are_filed_as_single_runs(plan, tmp_path):
    jobs = students(plan)
    made = cohort(jobs, tmp_path)
    assert not made.has_run() and not made.is_done()
    finish(made)
    assert made.has_run() and not made.is_done()
    made.finish()
    assert made.is_done()
    for number, job in enumerate(jobs):
        assert job.is_done() and run_differences(job.config, job.folder) == []
        own = json.loads((job.folder / 'results.json').read_text())
        assert own['last']['accuracy/top1'] == 90.0 + number and own['seed'] == 0
        assert ('teacher' in own) == (number > 0)
        weights = load_file(str(last_checkpoint(job)))['state_dict']
        expected = {'head.fc.weight'} if number == 0 else {'student.head.fc.weight', 'losses.topology.scale'}
        assert set(weights) == expected
        alone = Path(student_path(str(last_checkpoint(job))))
        assert alone.is_file() == (number > 0)
        if number:
            assert load_file(str(alone))['state_dict']['head.fc.weight'].tolist() == [number, number]
    left = [job for job in together(plan, tmp_path).missing() if job.members]
    assert [[member.name for member in job.members] for job in left] == [[job.name for job in students(plan, 1)]]


def test_a_cohort_that_was_killed_while_its_members_were_filed_is_not_trained_again(plan, tmp_path):
    made = cohort(students(plan), tmp_path)
    finish(made)
    made.finish()
    (students(plan)[3].folder / 'results.json').unlink()
    again = next(job for job in together(plan, tmp_path).missing() if job.members)
    assert again.folder == made.folder and again.has_run() and not again.is_done()
    again.finish()
    assert again.is_done()


def test_a_member_that_diverged_is_named_and_the_others_are_filed(plan, tmp_path, capsys):
    jobs = students(plan)
    made = cohort(jobs, tmp_path)
    finish(made, stopped=[f'{DIGITS}-no-kd'])
    for _ in range(2):  # the same command again says the same, and trains nothing
        assert made.has_run() and not made.is_done()
        with pytest.raises(
            RuntimeError, match=f"the loss of '{DIGITS}/no-kd/seed0' after epoch 3 was not finite; the "
        ):
            Call(made, tmp_path / 'no tools', {})()
        assert 'error: the loss of' in capsys.readouterr().out
        assert [job.is_done() for job in jobs] == [True, True, False, True]
        assert not (jobs[2].folder / 'results.json').exists()
        made = next(job for job in together(plan, tmp_path).missing() if job.members)
        assert made.folder == cohort(jobs, tmp_path).folder


def test_a_cohort_of_which_nothing_is_left_has_not_run(plan, tmp_path):
    made = cohort(students(plan), tmp_path)
    finish(made, stopped=list(made.config.model.members))
    assert not made.has_run()


def test_the_study_on_scenes_is_one_cohort_a_seed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = TABLES['scenes_study']
    plan = together(Planner(CONFIGS, tmp_path / 'work', [0, 1]).plan(table), tmp_path / 'work')
    cohorts = [job for job in plan.jobs.values() if job.members]
    assert [len(job.members) for job in cohorts] == [6, 6]
    losses = {name: member['losses'] for name, member in cohorts[0].config.model.members.items()}
    clouds = {
        name.split('-')[-1]: member['topology']['cloud'] for name, member in losses.items() if 'topology' in member
    }
    assert clouds['objects'] == dict(type='RoICloud', num_points=16)
    assert clouds['spatial'] == dict(type='SpatialCloud', grid=8)
    assert clouds['TopKD'].type == clouds['exact'].type == 'BatchCloud'
