"""Embedded jobs: what a reader is told, the table at the end, and jobs that are forked."""

import json
import time

import pytest
import warm
from reproduction_small import CONFIGS

from topkd.reproduction import embedded
from topkd.reproduction.embedded import EmbeddedJob, closing_table, make_plan
from topkd.reproduction.fork_queue import ForkQueue
from topkd.reproduction.tables import TABLES

TOP1 = 'accuracy/top1'
LABELS = dict(teacher='teacher A', plain='plain B', KD='KD B', TopKD='TopKD B')


@pytest.fixture(autouse=True, scope='module')
def server():
    """Let the jobs fork from the server of all tests: the first one stays, and this has the imports."""
    warm.context()


@pytest.fixture
def job(tmp_path, monkeypatch, tools):
    """Return a function that makes the job of the digits with tools that pretend."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PYTHONPATH', str(CONFIGS.parent))
    monkeypatch.setattr(embedded, 'estimate', lambda plan, threads: ({job.name: 2.0 for job in plan.missing()}, []))
    monkeypatch.setattr(embedded, 'PAUSE', 0.0)
    (tools / 'analysis/images.py').write_text(
        'import sys\nfrom pathlib import Path\n'
        "Path(sys.argv[sys.argv.index('--out') + 1], 'images.json').write_text('{}')\n"
    )
    (tools / 'train_ripsnet.py').write_text(
        'import json, sys\nfrom pathlib import Path\nfrom runpy import run_path\n'
        "path = Path(run_path(sys.argv[1])['model']['losses']['topology']['vectorizer']['checkpoint'])\n"
        "if '--operator' in sys.argv:\n    folder = path.parent / sys.argv[-1]\n    folder.mkdir()\n"
        "    (folder / 'result.json').write_text(json.dumps(dict(mse=0.25, settings={})))\nelse:\n    path.touch()\n"
    )

    def make(seeds=(0, 1)) -> EmbeddedJob:
        plan = make_plan(TABLES['digits'], CONFIGS, tmp_path / 'work', seeds, 2, **{'clouds.num_clouds': 8})
        return EmbeddedJob(plan, ForkQueue(tools, 2), LABELS, (TOP1, '{:.2f} %'), time.time())

    return make


def finish_cohorts(plan) -> None:
    """File the results of all students, as their cohorts would."""
    for number, member in enumerate(plan.members.values()):
        member.folder.mkdir(parents=True, exist_ok=True)
        figures = {TOP1: 80.0 + number, 'epoch': 2}
        results = dict(monitor=TOP1, last=figures, best=figures, seed=0)
        (member.folder / 'results.json').write_text(json.dumps(results))
        (member.folder / 'epoch_2.pth').touch()


def test_a_reader_is_told_what_was_found_and_what_is_left(job, capsys):
    first = job()
    finish_cohorts(first.plan)
    first.run()
    said = capsys.readouterr().out
    assert (
        's] teacher A: 50.00 %; about' in said and 'RipsNet: MSE on held-out clouds, mean 0.25000, sum 0.25000' in said
    )
    assert '(mean) has started' in said and ' left\n' in said and first.plan.missing() == []
    table = closing_table('network', first.results(), {'last top-1': ('last', TOP1)}, 2)
    assert table.splitlines()[2:] == [
        'teacher A         50.00',
        'plain B    81.50 ± 2.12',
        'KD B       82.50 ± 2.12',
        'TopKD B    83.50 ± 2.12',
    ]
    assert [folder.name for folder in first.pictures()] == ['seed0_2epochs']
    again = job()
    again.run()
    assert capsys.readouterr().out == '' and again.results() == first.results()


def test_students_are_told_by_seed_and_network(job, capsys):
    made = job()
    cohort = next(job for job in made.plan.jobs.values() if job.members)
    finish_cohorts(made.plan)
    made._starts[cohort.name] = time.time() - 3
    made._tell()
    said = capsys.readouterr().out
    assert 'seed 0: plain B: 8' in said and 'seed 0: TopKD B: 8' in said and 'seed 1' not in said


def test_a_running_job_knows_better_than_the_estimate_what_is_left(job):
    made = job()
    made._seconds = {name: 2.0 for name in made.plan.jobs}
    teacher, *others = made.plan.missing()
    made._starts[teacher.name] = time.time() - 60
    estimated = made._left()
    made._note_end(teacher.name, 600.0)
    assert made._left() == pytest.approx(estimated + 600, abs=1)
    made._ends[teacher.name] -= 200  # so long ago it was said
    assert made._left() == pytest.approx(estimated + 400, abs=1)


def test_a_failure_ends_the_job_with_its_words(job, tools):
    (tools / 'train.py').write_text("import sys\nprint('error: no such luck')\nsys.exit(1)\n")
    with pytest.raises(ValueError, match=r"'teacher resnet20_digits' failed: .*log.txt"):
        job().run()


def test_sizes_without_objects_have_no_figure():
    runs = dict(teacher=[dict(last=dict(small=-1.0, large=0.5))])
    table = closing_table('detector', runs, dict(APs=('last', 'small'), APl=('last', 'large')), 3)
    assert table.splitlines()[-1].split() == ['teacher', '-', '0.500']


def test_the_mark_of_an_earlier_failure_is_gone_before_a_job_starts(job):
    """Else a job that is killed while it makes its imports would count as failed, and not start again."""
    made = job()
    teacher = next(iter(made.plan.jobs.values()))
    teacher.folder.mkdir(parents=True)
    (teacher.folder / 'failed').touch()
    child = made.queue.submit(teacher)
    assert not child.paths.result_pickle.exists()
    child.process.kill()
    child.process.join()
    assert child.done() and not child.paths.result_pickle.exists()
