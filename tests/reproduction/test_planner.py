"""Plans: which runs, in which order, shared by whom, and what counts as done."""

import json
import os
from pathlib import Path

import pytest
from mmengine.config import Config
from reproduction_small import CONFIGS, DIGITS, TABLE

from topkd.reproduction.jobs import last_checkpoint, trained_epochs
from topkd.reproduction.planner import Planner
from topkd.reproduction.tables import TABLES


@pytest.fixture
def planner(tmp_path, monkeypatch):
    """Return a function that makes a planner in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda seeds=(0, 1), **options: Planner(CONFIGS, tmp_path / 'work', seeds, **options)


def test_every_run_comes_after_what_it_needs(planner):
    plan = planner().plan(TABLE)
    names = list(plan.jobs)
    assert len(names) == 3 + 2 * 4
    for position, job in enumerate(plan.jobs.values()):
        assert all(names.index(need) < position for need in job.needs)
    ripsnet = next(name for name in names if name.startswith('RipsNet'))
    assert plan.jobs[f'{DIGITS}/TopKD/seed1'].needs == ('teacher resnet20_digits', ripsnet)
    assert plan.jobs[f'{DIGITS}/KD/seed0'].needs == ('teacher resnet20_digits',)
    assert plan.jobs['plain/resnet8_digits/seed0'].needs == ()
    assert [row.variant.name for row in plan.rows] == ['plain', 'KD', 'no-kd', 'TopKD']
    assert [job.config.randomness.seed for job in (plan.jobs[name] for name in plan.rows[3].jobs)] == [0, 1]


def test_a_teacher_that_is_missing_is_trained_and_its_artifacts_lie_beside_it(planner, tmp_path):
    plan = planner().plan(TABLE)
    teacher = plan.jobs['teacher resnet20_digits']
    topkd = plan.jobs[f'{DIGITS}/TopKD/seed0'].config
    assert teacher.config.model == Config.fromfile(CONFIGS / 'baselines/resnet20_digits.py').model
    assert (
        topkd.model.teacher.checkpoint
        == str(last_checkpoint(teacher))
        == str(tmp_path / 'work/teachers/resnet20_digits/epoch_24.pth')
    )
    assert topkd.model.losses.topology.vectorizer.checkpoint == str(
        tmp_path / 'work/ripsnet/resnet20_digits_neck-0_n64_h0/ripsnet.pth'
    )
    assert topkd.model.teacher.floor == {'accuracy/top1': 90.0}
    for job in plan.jobs.values():
        if job.tool in ('gen_pi.py', 'train_ripsnet.py'):
            assert job.folder == job.artifact.folder / Path(job.tool).stem  # their logs lie with what they make


def test_a_teacher_at_hand_is_used_with_the_artifacts_of_the_tools(planner, tmp_path):
    path = tmp_path / 'work_dirs/resnet20_digits/epoch_24.pth'
    path.parent.mkdir(parents=True)
    path.write_text('')
    plan = planner().plan(TABLE)
    assert not any(name.startswith('teacher') for name in plan.jobs)
    config = plan.jobs[f'{DIGITS}/TopKD/seed0'].config
    assert 'checkpoint' not in config.model.losses.topology.vectorizer
    assert plan.teachers[DIGITS] == ('resnet20_digits', 'work_dirs/resnet20_digits/epoch_24.pth')


@pytest.mark.parametrize('name', TABLES)
def test_every_table_can_be_planned(planner, name):
    plan = planner([0]).plan(TABLES[name])
    assert plan.rows and all(plan.find(job) for row in plan.rows for job in row.jobs)


def test_short_trainings_get_their_own_folders_and_no_floor(planner):
    plan = planner(epochs=2).plan(TABLE)
    job = plan.jobs[f'{DIGITS}/KD/seed0']
    assert (
        job.folder.name == 'seed0_2epochs'
        and job.config.train_cfg.max_epochs == 2
        and job.config.model.teacher.floor is None
    )
    assert plan.jobs['teacher resnet20_digits'].config.train_cfg.max_epochs == 2


def test_tables_share_runs(planner):
    first, second = planner().plan(TABLES['table5'], [DIGITS]), planner().plan(TABLES['table6'], [DIGITS])
    shared = set(first.jobs) & set(second.jobs)
    assert {f'{DIGITS}/KD/seed0', f'{DIGITS}/TopKD/seed1', 'teacher resnet20_digits'} <= shared
    for name in shared:
        assert first.jobs[name].folder == second.jobs[name].folder
        if first.jobs[name].tool == 'train.py':
            assert first.jobs[name].config.model == second.jobs[name].config.model


def test_pairs_share_plain_students_and_a_table_of_ripsnets_trains_no_student(planner, tmp_path):
    for name in ('resnet56', 'resnet110'):
        path = tmp_path / f'checkpoints/{name}_cifar100.pth'
        path.parent.mkdir(exist_ok=True)
        path.write_text('')
    pairs = ['resnet56-resnet20_cifar100', 'resnet110-resnet20_cifar100']
    plan = planner().plan(TABLES['table1'], pairs)
    plain = [row.jobs for row in plan.rows if row.variant.name == 'plain']
    assert plain == [('plain/resnet20_cifar100/seed0', 'plain/resnet20_cifar100/seed1')] * 2
    plan = planner().plan(TABLES['table19'], pairs[:1])
    assert {job.tool for job in plan.jobs.values()} == {'gen_pi.py', 'train_ripsnet.py'} and len(plan.jobs) == 8
    assert {name.split('_')[2] for name in plan.jobs} == {
        'backbone-stem',
        'backbone-layer1',
        'backbone-layer2',
        'neck-0',
    }


def test_a_run_is_done_when_its_last_epoch_was_validated(planner, finish):
    plan = planner(seeds=(0,)).plan(TABLE)
    job = plan.jobs['plain/resnet8_digits/seed0']
    assert job in plan.missing() and trained_epochs(job.folder) == 0
    finish(job)
    assert job not in plan.missing() and trained_epochs(job.folder) == 24
    results = json.loads((job.folder / 'results.json').read_text())
    results['last']['epoch'] = 23
    (job.folder / 'results.json').write_text(json.dumps(results))
    assert job in plan.missing()


def test_a_folder_with_a_run_of_another_config_is_refused(planner):
    plan = planner(seeds=(0,)).plan(TABLE)
    job = plan.jobs[f'{DIGITS}/KD/seed0']
    job.prepare()
    # as MMEngine leaves it behind, with a flag that a launcher appended
    Config(dict(job.config.to_dict(), launcher='slurm', resume=True, optim_wrapper=dict(type='AmpOptimWrapper'))).dump(
        job.config_path
    )
    harmless = {'default_hooks.logger.interval': 7, 'train_dataloader.num_workers': 2, 'clouds.num_clouds': 3}
    assert planner(seeds=(0,), options=harmless).plan(TABLE).jobs.keys() == plan.jobs.keys()
    with pytest.raises(
        ValueError,
        match=r'was made for another config \(train_dataloader.batch_size: 64, not 32\): give another --work-dir',
    ):
        planner(seeds=(0,), options={'train_dataloader.batch_size': 32}).plan(TABLE)


def test_a_ripsnet_of_fewer_clouds_does_not_stand_in_for_the_recipes(planner, tools, tmp_path):
    teacher = tmp_path / 'work_dirs/resnet20_digits/epoch_24.pth'
    teacher.parent.mkdir(parents=True)
    teacher.write_text('')
    plan = planner(options={'clouds.num_clouds': 8}).plan(TABLES['table16'], [DIGITS])
    folder = plan.jobs['RipsNet resnet20_digits_neck-0_n64_h0'].artifact.folder
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / 'ripsnet.pth').write_text('')
    (tmp_path / folder / 'manifest.json').write_text(json.dumps(dict(complete=True, request=dict(num_clouds=8))))
    (tmp_path / folder / 'sum').mkdir()
    (tmp_path / folder / 'sum/result.json').write_text(
        json.dumps(dict(mse=1.0, settings=dict(max_epochs=150, lr=5e-4)))
    )
    assert (
        plan.jobs['RipsNet resnet20_digits_neck-0_n64_h0']
        not in planner(options={'clouds.num_clouds': 8}).plan(TABLES['table16'], [DIGITS]).missing()
    )
    with pytest.raises(ValueError, match=r'was made for another config \(clouds.num_clouds: 8, not 1000\)'):
        planner().plan(TABLES['table16'], [DIGITS])
    with pytest.raises(ValueError, match=r'ripsnet.max_epochs: 150, not 9\)'):
        planner(options={'clouds.num_clouds': 8, 'ripsnet.max_epochs': 9}).plan(TABLES['table16'], [DIGITS])


def own_pair(path: Path, changes: str) -> str:
    """Write a pair on top of the digits pair and return its path."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"_base_ = '{CONFIGS / 'topkd' / DIGITS}.py'\nmodel = dict({changes})\n")
    return str(path)


def test_two_runs_of_one_name_are_refused(planner, tmp_path):
    first = own_pair(tmp_path / 'a/mine.py', 'losses=dict(kd=dict(loss_weight=2.0))')
    second = own_pair(tmp_path / 'b/mine.py', 'losses=dict(kd=dict(loss_weight=9.0))')
    with pytest.raises(ValueError, match="two different runs of this plan are named 'mine/KD/seed0': rename"):
        planner(seeds=(0,)).plan(TABLE, [first, second])
    other = own_pair(tmp_path / 'x-resnet8_digits.py', 'student=dict(backbone=dict(depth=14))')
    with pytest.raises(ValueError, match="two different runs of this plan are named 'plain/resnet8_digits/seed0'"):
        planner(seeds=(0,)).plan(TABLE, [DIGITS, other])


def test_a_ripsnet_of_ones_own_is_used(planner, tmp_path):
    option = {'model.losses.topology.vectorizer.checkpoint': 'authors.pth'}
    plan = planner(options=option).plan(TABLE)
    assert {job.tool for job in plan.jobs.values()} == {'train.py'}
    assert plan.jobs[f'{DIGITS}/TopKD/seed0'].config.model.losses.topology.vectorizer.checkpoint == 'authors.pth'


def test_every_topology_loss_gets_its_ripsnet_and_the_kd_control_must_be_one(planner, tmp_path):
    second = "dict(type='TopologyLoss', student_tap='backbone.layer2', cloud=dict(type='BatchCloud', num_points=64), vectorizer=dict(type='RipsNet'))"
    pair = own_pair(tmp_path / 'two.py', f'losses=dict(stage=({second}))')
    plan = planner(seeds=(0,)).plan(TABLE._replace(variants=TABLE.variants[-1:]), [pair])
    ripsnets = [job for job in plan.jobs.values() if job.tool == 'train_ripsnet.py']
    assert [job.arguments for job in ripsnets] == [(), ('--loss', 'stage')]
    topkd = plan.jobs['two/TopKD/seed0']
    assert topkd.needs == ('teacher resnet20_digits', *(job.name for job in ripsnets))
    assert topkd.config.model.losses.stage.vectorizer.checkpoint == str(ripsnets[1].artifact.ripsnet)
    with pytest.raises(ValueError, match=r"more topology losses than 'topology' \(stage\): the KD control"):
        planner(seeds=(0,)).plan(TABLE, [pair])


def test_an_analysis_is_done_again_when_a_student_is_newer(planner, finish, tmp_path):
    plan = planner(seeds=(0,)).plan(TABLES['table20'], [DIGITS])
    job, student = plan.jobs[f'{DIGITS}/bottleneck/seed0'], plan.jobs[f'{DIGITS}/KD/seed0']
    for folder in (job.folder, student.folder):
        folder.mkdir(parents=True)
    (job.folder / 'bottleneck.json').write_text('{}')
    last_checkpoint(student).write_text('')
    os.utime(last_checkpoint(student), (1, 1))
    assert job.is_done()
    os.utime(last_checkpoint(student))
    os.utime(job.folder / 'bottleneck.json', (2, 2))
    assert not job.is_done()


def test_probes_have_the_seed_of_their_student(planner):
    plan = planner(seeds=(0, 3)).plan(TABLES['table10'], [DIGITS])
    assert plan.jobs[f'{DIGITS}/KD/seed3/stl10'].config.randomness.seed == 3


def test_messages(planner, tmp_path):
    with pytest.raises(FileNotFoundError, match="no pair 'x'"):
        planner().plan(TABLE, ['x'])
    with pytest.raises(ValueError, match='has no teacher, which a pair needs: name a config'):
        planner().plan(TABLE, [str(CONFIGS / 'baselines/resnet8_digits.py')])
    own = own_pair(tmp_path / 'own.py', "teacher=dict(name='mine', checkpoint='none.pth')")
    with pytest.raises(
        FileNotFoundError, match="teacher 'mine' of own is missing: put its checkpoint at 'none.pth' or name"
    ):
        planner().plan(TABLE, [own])
    for changes in ('name=None', 'checkpoint=None'):
        own = own_pair(tmp_path / 'own.py', f'teacher=dict({changes})')
        with pytest.raises(ValueError, match='the teacher of own needs a name, under which .* and a checkpoint'):
            planner().plan(TABLE, [own])
