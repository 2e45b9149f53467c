"""The operators of a RipsNet as jobs of their own."""

import json

import pytest
from reproduction_small import CONFIGS, DIGITS

from topkd.reproduction.operators import apart
from topkd.reproduction.planner import Planner
from topkd.reproduction.tables import TABLES

RIPSNET = 'RipsNet resnet20_digits_neck-0_n64_h0'


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda **options: Planner(CONFIGS, tmp_path / 'work', [0], options=options).plan(TABLES['table16'], [DIGITS])


def test_each_operator_is_a_job_and_ripsnet_needs_both(plan):
    whole, made = plan(), apart(plan())
    mean, total = (made.jobs[f'{RIPSNET} ({operator})'] for operator in ('mean', 'sum'))
    assert mean.needs == total.needs == whole.jobs[RIPSNET].needs and mean.folder != total.folder
    assert mean.arguments == ('--operator', 'mean') and mean.tool == 'train_ripsnet.py'
    assert made.jobs[RIPSNET].needs == (mean.name, total.name)
    names = list(made.jobs)
    assert names.index(RIPSNET) == names.index(total.name) + 1 == names.index(mean.name) + 2
    assert len(made.jobs) == len(whole.jobs) + 2 * 3 and made.rows == whole.rows


def test_an_operator_is_done_with_its_result_or_with_the_network(plan):
    job = apart(plan()).jobs[f'{RIPSNET} (sum)']
    assert not job.is_done()
    job.artifact.result('sum').parent.mkdir(parents=True)
    job.artifact.result('sum').write_text(json.dumps(dict(mse=1.0)))
    assert job.is_done() and not apart(plan()).jobs[f'{RIPSNET} (mean)'].is_done()
    job.artifact.ripsnet.write_text('')
    assert f'{RIPSNET} (mean)' not in apart(plan()).jobs  # nothing is left to be trained


def test_a_single_operator_stays_one_job(plan):
    options = {'ripsnet.operators': ['sum']}
    assert apart(plan(**options)).jobs.keys() == plan(**options).jobs.keys()
