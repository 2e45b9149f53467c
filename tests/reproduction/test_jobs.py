"""Plans: which runs, in which order, shared by whom, and what counts as done."""
import json
from pathlib import Path

import pytest
from mmengine.config import Config
from reproduction_small import CONFIGS, DIGITS, TABLE

from topkd.reproduction.jobs import Planner, last_checkpoint, trained_epochs
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
    assert plan.jobs[f'{DIGITS}/KD/seed0'].needs == ('teacher resnet20_digits', )
    assert plan.jobs['plain/resnet8_digits/seed0'].needs == ()
    assert [row.variant.name for row in plan.rows] == ['plain', 'KD', 'no-kd', 'TopKD']
    assert [job.config.randomness.seed for job in (plan.jobs[name] for name in plan.rows[3].jobs)] == [0, 1]


def test_a_teacher_that_is_missing_is_trained_and_its_artifacts_lie_beside_it(planner, tmp_path):
    plan = planner().plan(TABLE)
    teacher = plan.jobs['teacher resnet20_digits']
    topkd = plan.jobs[f'{DIGITS}/TopKD/seed0'].config
    assert teacher.config.model == Config.fromfile(CONFIGS / 'baselines/resnet20_digits.py').model
    assert topkd.model.teacher.checkpoint == str(last_checkpoint(teacher)) == str(tmp_path / 'work/teachers/resnet20_digits/epoch_24.pth')
    assert topkd.model.losses.topology.vectorizer.checkpoint == str(
        tmp_path / 'work/ripsnet/resnet20_digits_neck-0_n64_h0/ripsnet.pth')
    assert topkd.model.teacher.floor == {'accuracy/top1': 90.0}


def test_a_teacher_at_hand_is_used_with_the_artifacts_of_the_tools(planner, tmp_path):
    path = tmp_path / 'work_dirs/resnet20_digits/epoch_24.pth'
    path.parent.mkdir(parents=True)
    path.write_text('')
    plan = planner().plan(TABLE)
    assert not any(name.startswith('teacher') for name in plan.jobs)
    config = plan.jobs[f'{DIGITS}/TopKD/seed0'].config
    assert 'checkpoint' not in config.model.losses.topology.vectorizer
    assert plan.teachers[DIGITS] == ('resnet20_digits', 'work_dirs/resnet20_digits/epoch_24.pth')


def test_short_trainings_get_their_own_folders_and_no_floor(planner):
    plan = planner(epochs=2).plan(TABLE)
    job = plan.jobs[f'{DIGITS}/KD/seed0']
    assert job.folder.name == 'seed0_2epochs' and job.config.train_cfg.max_epochs == 2 and job.config.model.teacher.floor is None
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
    assert plan.rows[0].jobs == plan.rows[3].jobs == ('plain/resnet20_cifar100/seed0', 'plain/resnet20_cifar100/seed1')
    plan = planner().plan(TABLES['table19'], pairs[:1])
    assert {job.tool for job in plan.jobs.values()} == {'gen_pi.py', 'train_ripsnet.py'} and len(plan.jobs) == 8
    assert {name.split('_')[2] for name in plan.jobs} == {'backbone-stem', 'backbone-layer1', 'backbone-layer2', 'neck-0'}


def test_a_run_is_done_when_its_last_epoch_was_validated(planner, finish):
    plan = planner(seeds=(0, )).plan(TABLE)
    job = plan.jobs['plain/resnet8_digits/seed0']
    assert job in plan.missing() and trained_epochs(job.folder) == 0
    finish(job)
    assert job not in plan.missing() and trained_epochs(job.folder) == 24
    results = json.loads((job.folder / 'results.json').read_text())
    results['last']['epoch'] = 23
    (job.folder / 'results.json').write_text(json.dumps(results))
    assert job in plan.missing()


def test_a_folder_with_a_run_of_another_config_is_refused(planner, finish):
    plan = planner(seeds=(0, )).plan(TABLE)
    job = plan.jobs[f'{DIGITS}/KD/seed0']
    job.folder.mkdir(parents=True)
    # as MMEngine leaves it behind
    Config(dict(job.config.to_dict(), launcher='none', resume=True, work_dir='x')).dump(job.config_path)
    assert planner(seeds=(0, )).plan(TABLE).jobs.keys() == plan.jobs.keys()
    with pytest.raises(ValueError, match=r'holds a run of another config \(it differs in train_dataloader\): give another --work-dir'):
        planner(seeds=(0, ), options={'train_dataloader.batch_size': 32}).plan(TABLE)


def test_messages(planner, tmp_path):
    with pytest.raises(FileNotFoundError, match="no pair 'x'"):
        planner().plan(TABLE, ['x'])
    with pytest.raises(ValueError, match='distils nothing: name a pair'):
        planner().plan(TABLE, [str(CONFIGS / 'baselines/resnet8_digits.py')])
    own = Path(tmp_path / 'own.py')
    own.write_text(f"_base_ = '{CONFIGS / 'topkd' / DIGITS}.py'\nmodel = dict(teacher=dict(name='mine', checkpoint='none.pth'))\n")
    with pytest.raises(FileNotFoundError, match="teacher 'mine' of own is missing: put its checkpoint at 'none.pth' or name"):
        planner().plan(TABLE, [str(own)])
