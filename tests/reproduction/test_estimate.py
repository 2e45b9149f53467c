"""Estimates: every kind of run, without the files that earlier runs make."""

import math

import pytest
from reproduction_small import CONFIGS, DIGITS, TABLE

from topkd.reproduction import estimate as module
from topkd.reproduction.estimate import estimate, readable
from topkd.reproduction.operators import apart
from topkd.reproduction.planner import Planner
from topkd.reproduction.tables import TABLES
from topkd.reproduction.time_left import time_left


@pytest.fixture
def clock(monkeypatch):
    """Let every timed call take a second."""
    ticks = iter(range(10**6))
    monkeypatch.setattr(module.time, 'perf_counter', lambda: next(ticks))


def test_steps_times_their_number(clock, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {'train_dataloader.dataset.indices': 256, 'clouds.num_clouds': 10, 'ripsnet.max_epochs': 8}
    plan = Planner(CONFIGS, tmp_path / 'work', [0, 1], options=options).plan(TABLE)
    seconds, problems = estimate(plan)
    assert problems == [] and set(seconds) == set(plan.jobs)
    for name, job in plan.jobs.items():
        if job.tool == 'train.py':
            assert seconds[name] == 4 * 24  # 256 images of batches of 64, 24 epochs, a second each
    assert next(value for name, value in seconds.items() if name.startswith('clouds')) == 10
    # three quarters of 10 clouds in batches of 64, 8 epochs, two operators
    assert math.isclose(
        next(value for name, value in seconds.items() if name.startswith('RipsNet')), 10 * 0.75 / 64 * 8 * 2
    )


def test_operators_apart_take_the_time_of_one_training_of_both(clock, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    teacher = tmp_path / 'work_dirs/resnet20_digits/epoch_24.pth'
    teacher.parent.mkdir(parents=True)
    teacher.write_text('')
    options = {'clouds.num_clouds': 10, 'ripsnet.max_epochs': 8}
    whole = Planner(CONFIGS, tmp_path / 'work', [0], options=options).plan(TABLES['table16'], [DIGITS])
    parted = apart(whole)
    assert [job.operators for job in whole.missing() if job.tool == 'train_ripsnet.py'] == [('mean', 'sum')] * 3
    assert [job.operators for job in parted.missing() if job.tool == 'train_ripsnet.py'] == [
        ('mean',),
        ('sum',),
        (),
    ] * 3
    (one, _), (several, problems) = estimate(whole), estimate(parted)
    assert problems == [] and set(several) == set(parted.jobs)
    assert math.isclose(sum(one.values()), sum(several.values()))
    clouds = sum(value for name, value in one.items() if name.startswith('clouds'))
    in_turn = sum(one.values()) - clouds
    # with a place for each, an operator and its RipsNet take half of what one job takes
    assert math.isclose(time_left(parted.missing(), several, len(parted.jobs)), clouds / 3 + in_turn / 6)


def test_what_cannot_be_timed_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {'train_dataloader.dataset.split': 'nowhere'}
    plan = Planner(CONFIGS, tmp_path / 'work', [0], options=options).plan(TABLE)
    seconds, problems = estimate(plan)
    assert [name for name in seconds] == [name for name in plan.jobs if name.startswith('RipsNet')]
    assert len(problems) == 1 and problems[0].startswith(
        'no estimate for teacher resnet20_digits, plain/resnet8_digits/seed0, '
    )
    assert 'nowhere' in problems[0]


def test_clouds_and_ripsnet_of_a_loss_of_another_name(clock, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stage = (
        "dict(type='TopologyLoss', student_tap='backbone.layer2', cloud=dict(type='BatchCloud', num_points=32), "
        "vectorizer=dict(type='RipsNet'))"
    )
    (tmp_path / 'stage.py').write_text(
        f"_base_ = '{CONFIGS / 'topkd' / DIGITS}.py'\nmodel = dict(losses=dict(topology=None, stage={stage}))\n"
    )
    options = {'train_dataloader.dataset.indices': 128, 'clouds.num_clouds': 10}
    table = TABLE._replace(variants=TABLE.variants[-1:])
    plan = Planner(CONFIGS, tmp_path / 'work', [0], options=options).plan(table, [str(tmp_path / 'stage.py')])
    seconds, problems = estimate(plan)
    assert problems == [] and set(seconds) == set(plan.jobs)
    # a batch of 64 images makes two clouds of 32
    assert next(value for name, value in seconds.items() if name.startswith('clouds')) == 5


def test_an_analysis_has_no_estimate(clock, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {'train_dataloader.dataset.indices': 128}
    plan = Planner(CONFIGS, tmp_path / 'work', [0], options=options).plan(TABLES['table20'], [DIGITS])
    seconds, problems = estimate(plan)
    assert problems == [f'no estimate for {DIGITS}/bottleneck/seed0: an analysis of trained students']
    assert len(seconds) == len(plan.jobs) - 1


def test_durations():
    assert [readable(value) for value in (None, 4.2, 119, 121, 7300, 200000)] == [
        '?',
        '4 s',
        '119 s',
        '2.0 min',
        '2.0 h',
        '2.3 days',
    ]
