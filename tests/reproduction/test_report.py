"""Paper and ours side by side: means, deviations, differences and the KD control, by hand."""

import json
from statistics import stdev

import pytest
from reproduction_small import CONFIGS, DIGITS, TABLE

from topkd.reproduction.costs import StepCosts
from topkd.reproduction.paper import paper_values
from topkd.reproduction.planner import Planner
from topkd.reproduction.report import Report
from topkd.reproduction.tables import R56_R20, TABLES

TOP1 = 'accuracy/top1'


@pytest.fixture
def planner(tmp_path, monkeypatch):
    """Return a function that plans in an empty folder with the teacher of the paper's pair at hand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PYTHONPATH', str(CONFIGS.parent))
    (tmp_path / 'checkpoints').mkdir()
    (tmp_path / 'checkpoints/resnet56_cifar100.pth').write_text('')
    return lambda seeds: Planner(CONFIGS, tmp_path / 'work', seeds)


def test_figures_of_the_papers_pair(planner, finish, tmp_path):
    table = TABLES['table6']
    plan = planner([0, 1]).plan(table)
    values = dict(plain=(68.0, 70.0), KD=(70.0, 71.0), TopKD=(71.0,))
    for name, numbers in values.items():
        row = next(row for row in plan.rows if row.variant.name == name)
        for job, value in zip(row.jobs, numbers):
            finish(plan.jobs[job], value)
    content = Report('table6', table, plan, 'the command').content()
    rows = {row['variant']: row for row in content['rows']}
    assert rows['plain']['last'][TOP1] == dict(mean=69.0, std=stdev([68, 70]))
    assert rows['plain']['best'][TOP1]['mean'] == 70.0
    assert rows['plain']['difference'][TOP1] == pytest.approx(70.0 - 69.06)
    assert (
        rows['TopKD']['last'][TOP1] == dict(mean=71.0)
        and rows['TopKD']['planned'] == 2
        and len(rows['TopKD']['runs']) == 1
    )
    assert rows['TopKD']['minus_kd']['last'][TOP1] == pytest.approx(71 - 70.5)
    assert 'minus_kd' not in rows['KD'] and rows['no-kd']['runs'] == [] and rows['no-kd']['difference'] == {}
    path = Report('table6', table, plan, 'the command').write(tmp_path / 'results')
    text = path.read_text()
    assert '| CE + KD | 70.66 | 71.50 ± 0.71 | 70.50 ± 0.71 | +0.84 | - | 2 of 2 |' in text
    assert '| CE + Top | 69.72 | - | - | - | - | 0 of 2 |' in text
    assert '| CE + KD + Top (TopKD) | 71.58 | 72.00 | 71.00 | +0.42 | +0.50 | 1 of 2 |' in text
    assert text.startswith('# Table 6: Loss terms\n')
    assert 'the command' in text and 'ICML 2024' in text
    assert json.loads(path.with_suffix('.json').read_text())['rows'][0]['runs'][0]['last'][TOP1] == 68.0


def test_a_reduced_recipe_shows_no_difference_to_the_paper(planner, finish, tmp_path):
    table = TABLES['table6']
    plan = planner([0]).plan(table)
    finish(plan.jobs[plan.rows[0].jobs[0]], 68.0)
    text = Report('table6', table, plan, 'x', ['Every training is cut to 2 epochs.']).write(tmp_path).read_text()
    assert '**Every training is cut to 2 epochs.**' in text and 'ours - paper' not in text
    assert '| plain student (CE) | 69.06 | 69.00 | 68.00 |' in text


def test_a_whole_plan_of_a_pair_that_the_paper_lacks(planner, run_all, tmp_path):
    plan = planner([0, 1]).plan(TABLE)
    run_all(plan)
    content = Report('table6', TABLE, plan, 'x').content()
    means = {row['variant']: row['last'][TOP1]['mean'] for row in content['rows']}
    assert means == dict(plain=55, KD=56, TopKD=59, **{'no-kd': 58})
    assert content['rows'][3]['minus_kd']['best'] == {TOP1: 3.0}
    assert content['teachers'][DIGITS]['ours'] == {TOP1: 99.0} and content['teachers'][DIGITS]['paper'] == {}
    assert (
        'Teacher resnet20_digits: paper -, ours 99.00.'
        in Report('table6', TABLE, plan, 'x').write(tmp_path).read_text()
    )


def test_a_table_of_ripsnets(planner, run_all, tmp_path):
    table = TABLES['table16']
    plan = planner([0]).plan(table)
    for name, job in plan.jobs.items():
        # the pretended tools write where the config says
        if 'checkpoint' not in job.config.model.losses.topology.vectorizer:
            job.config.model.losses.topology.vectorizer.checkpoint = (
                f'work_dirs/ripsnet/{job.folder.parent.name}/ripsnet.pth'
            )
    run_all(plan)
    report = Report('table16', table, plan, 'x')
    content = report.content()
    assert content['rows'][1]['best'] == dict(mean=dict(mean=0.25), sum=dict(mean=0.5))
    assert content['rows'][1]['difference']['mean'] == pytest.approx(0.25 - 0.000323)
    assert content['rows'][0]['runs'][0]['num_clouds'] == 200_000
    text = report.write(tmp_path).read_text()
    assert (
        f'## {R56_R20}: validation MSE, sum' in text
        and '| dimension 1 | 0.000323 | 0.500000 | +0.499677 | 1 of 1 |' in text
    )


def test_coco_figures_are_percent(planner, finish):
    plan = planner([0]).plan(TABLES['table9'], ['faster-rcnn_r101-r18_coco'])
    job = plan.jobs[plan.rows[0].jobs[0]]
    finish(job)
    results = json.loads((job.folder / 'results.json').read_text())
    for which in ('last', 'best'):
        results[which].update({'coco/bbox_mAP': 0.33, 'coco/bbox_mAP_50': 0.5, 'coco/bbox_mAP_75': 0.25})
    (job.folder / 'results.json').write_text(json.dumps(results))
    row = Report('table9', TABLES['table9'], plan, 'x').content()['rows'][0]
    assert row['best']['coco/bbox_mAP']['mean'] == 33.0
    assert row['difference']['coco/bbox_mAP_75'] == pytest.approx(25 - 35.26)


def test_an_analysis_of_all_students_of_a_seed(planner, run_all, tmp_path):
    table = TABLES['table20']
    plan = planner([0, 1]).plan(table, [DIGITS])
    run_all(plan)
    assert [name for name in plan.jobs if 'bottleneck' in name] == [
        f'{DIGITS}/bottleneck/seed0',
        f'{DIGITS}/bottleneck/seed1',
    ]
    content = Report('table20', table, plan, 'x').content()
    rows = {row['variant']: row for row in content['rows']}
    assert rows['TopKD']['best'] == dict(
        bottleneck=dict(mean=5.0, std=0.0), bottleneck_scale_free=dict(mean=5.5, std=0.0)
    )
    assert rows['TopKD']['minus_kd']['last']['bottleneck'] == 3.0
    text = Report('table20', table, plan, 'x').write(tmp_path).read_text()
    assert '| CE + KD | - | 2.0000 ± 0.0000 | - | 2 of 2 |' in text


def test_paper_and_ours_of_an_analysis(planner, run_all):
    plan = planner([0]).plan(TABLES['table20'], [R56_R20])
    for job in plan.jobs.values():
        if job.tool == 'train_ripsnet.py':
            job.config.model.losses.topology.vectorizer.checkpoint = (
                'work_dirs/ripsnet/resnet56_cifar100_neck-0_n64_h0/ripsnet.pth'
            )
        elif job.tool == 'gen_pi.py':
            job.config.model.losses.topology.vectorizer.checkpoint = (
                'work_dirs/ripsnet/resnet56_cifar100_neck-0_n64_h0/ripsnet.pth'
            )
    run_all(plan)
    rows = Report('table20', TABLES['table20'], plan, 'x').content()['rows']
    assert rows[2]['difference'] == {'bottleneck': pytest.approx(5 - 0.6971)}
    assert rows[1]['paper'] == {'bottleneck': 2.3912}


def test_transfer_of_every_student(planner, run_all, tmp_path):
    table = TABLES['table10']
    options = {'stl10.data_root': '/stl', 'log_level': 'ERROR'}
    plan = Planner(CONFIGS, tmp_path / 'work', [0], options=options).plan(table, [DIGITS])
    assert [(row.variant.name, row.probe) for row in plan.rows][:2] == [('plain', 'stl10'), ('plain', 'tiny-imagenet')]
    student, probe = plan.jobs[f'{DIGITS}/KD/seed0'], plan.jobs[f'{DIGITS}/KD/seed0/stl10']
    assert probe.config.model.featurizer.config == str(student.config_path) and probe.needs == (student.name,)
    assert probe.config.model.featurizer.checkpoint == str(student.folder / 'epoch_24.pth')
    assert probe.config.train_dataloader.dataset.data_root == '/stl' and student.config.log_level == 'ERROR'
    assert (
        plan.jobs[f'{DIGITS}/KD/seed0/tiny-imagenet'].config.train_dataloader.dataset.data_root == 'data/tiny-imagenet'
    )
    assert 'stl10' not in student.config
    run_all(plan)
    text = Report('table10', table, plan, 'x').write(tmp_path).read_text()
    assert f'## {DIGITS}, stl10: top-1' in text and f'## {DIGITS}, tiny-imagenet: top-1' in text


def test_a_ranked_table_has_published_figures_and_costs(planner, finish, tmp_path):
    table = TABLES['methods'].only(['dkd', 'at', 'topkd'])
    plan = planner([0]).plan(table)
    values = dict(plain=68.0, KD=70.0, AT=69.5, DKD=71.0)
    for row in plan.rows:
        if row.variant.name in values:
            finish(plan.jobs[row.jobs[0]], values[row.variant.name])
    measured = dict(
        methods=dict(KD=dict(ratio_kd=1.0, memory_ratio_kd=1.0), AT=dict(ratio_kd=1.1, memory_ratio_kd=1.25)),
        environment=dict(processor='a CPU', threads=2, torch='2', pair=R56_R20, batch=64),
    )
    (tmp_path / 'results').mkdir()
    (tmp_path / 'results/methods_cost.json').write_text(json.dumps(measured))
    costs = StepCosts.read(tmp_path / 'results')
    text = Report('methods', table, plan, 'x', costs=costs).write(tmp_path / 'results').read_text()
    rows = [line for line in text.splitlines() if line.startswith('| ')][1:]
    assert rows == [
        '| CE + DKD | - | 71.97 | 72.00 | 71.00 | - | +1.00 | - | - | 1 of 1 |',
        '| CE + KD | 70.66 | - | 71.00 | 70.00 | +0.34 | - | 1.00 | 1.00 | 1 of 1 |',
        '| CE + AT | 70.55 | - | 70.50 | 69.50 | -0.05 | -0.50 | 1.10 | 1.25 | 1 of 1 |',
        '| plain student (CE) | 69.06 | - | 69.00 | 68.00 | -0.06 | -2.00 | - | - | 1 of 1 |',
        '| CE + KD + Top (TopKD) | 71.58 | - | - | - | - | - | - | - | 0 of 1 |',
    ]
    assert f'measured on {R56_R20}, batches of 64, a CPU, 2 threads, torch 2' in text and 'Published: ' in text
    other = Report('methods', table, plan, 'x').write(tmp_path / 'other').read_text()
    assert '| CE + AT | 70.55 | - | 70.50 | 69.50 | -0.05 | -0.50 | - | - | 1 of 1 |' in other
    assert 'batches of 64' not in other


def test_paired_differences_to_the_control_by_seed(planner, finish, tmp_path):
    table = TABLES['table6']._replace(paired=True)
    plan = planner([0, 1, 2]).plan(table)
    for name, numbers in dict(KD=(70.0, 71.0, 75.0), TopKD=(71.0, 73.0, 78.0), plain=(68.0,)).items():
        row = next(row for row in plan.rows if row.variant.name == name)
        for seed, (job, value) in enumerate(zip(row.jobs, numbers)):
            finish(plan.jobs[job], value, seed)
    report = Report('table6', table, plan, 'x')
    rows = {row['variant']: row for row in report.content()['rows']}
    found = rows['TopKD']['paired'][TOP1]
    assert found['differences'] == [1.0, 2.0, 3.0] and found['deviation'] == 1.0
    # t with 2 degrees of freedom has its 0.975 quantile at 4.302653
    assert found['student'] == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5), abs=1e-6)
    assert rows['plain']['paired'] == {} and 'paired' not in rows['KD']
    text = report.write(tmp_path / 'results').read_text()
    assert '| +2.00 | ± 1.00, -0.48 to +4.48 | 3 of 3 |' in text and '| -4.00 | - | 1 of 3 |' in text


def test_a_method_without_a_run_has_a_row_with_the_reason(planner, tmp_path):
    table = TABLES['methods'].only(['at', 'dpk'])
    text = Report('methods', table, planner([0]).plan(table), 'x').write(tmp_path).read_text()
    (row,) = (line.split(' | ') for line in text.splitlines() if line.startswith('| CE + DPK |'))
    assert set(row[1:-1]) == {'-'} and row[-1] == 'its layers and constants are not published (docs/methods.md) |'
    paper = TABLES['table3'].only(['kd'])._replace(absent=dict(OFD='cannot be run'))
    (tmp_path / 'checkpoints/resnet34_imagenet.pth').write_text('')
    text = Report('table3', paper, planner([0]).plan(paper), 'x').write(tmp_path).read_text()
    (row, other) = (line.split(' | ') for line in text.splitlines() if line.startswith('| CE + OFD |'))
    assert row[1] == '71.08' and set(row[2:-1]) == set(other[1:-1]) == {'-'}
    assert row[-1] == 'cannot be run |' == other[-1]


def test_every_row_of_the_papers_tables_is_a_variant_or_absent_with_a_reason():
    for name in ('table1', 'table2', 'table3', 'table4', 'table9', 'table10'):
        table = TABLES[name]
        ours = {variant.name for variant in table.variants} | set(table.absent)
        for pair in table.pairs:
            for probe in table.measure.probes:
                assert set(paper_values(name, pair, probe)) - {'teacher'} <= ours, (name, pair)
