"""A study of digits whose runs take seconds, and a ledger that a test fills."""

from pathlib import Path

import pytest

from topkd.reproduction.study.ledger import METRIC, Ledger
from topkd.reproduction.study.protocol import Study

CONFIGS = Path(__file__).resolve().parent.parent.parent.parent / 'configs'
PAIR = """
_base_ = {base!r}
train_cfg = dict(max_epochs=2, val_interval=1)
train_dataloader = dict(batch_size=32, dataset=dict(indices=list(range(96))))
val_dataloader = dict(dataset=dict(split='train', indices=list(range(100, 164))))
test_dataloader = dict(dataset=dict(indices=64))
model = dict(teacher=dict(checkpoint='teacher.pth', floor=None))
default_hooks = dict(logger=dict(interval=1))
clouds = dict(num_clouds=8, seed=0)
ripsnet = dict(operators=('mean', ), lr=5e-4, batch_size=4, max_epochs=2, patience=50)
"""
STUDY = """
kd = dict(type='topkd.KDLoss', tau=4.0)
cloud = dict(type='BatchCloud', num_points=16)
ripsnet = dict(type='topkd.TopologyLoss', cloud=cloud, vectorizer=dict(type='RipsNet'))
sorted_deaths = dict(type='topkd.TopologyLoss', cloud=cloud, distance='sorted_deaths')
study = dict(
    pair='first.py',
    second_pair='second.py',
    bases=dict(CE=dict(title='CE'), KD=dict(title='CE + KD', loss=kd, weights=(1.0, 3.0))),
    terms=dict(
        ripsnet=dict(title='RipsNet', kind='topology', loss=ripsnet, weights=(5.0, 0.5)),
        sorted=dict(title='sorted deaths', kind='topology', loss=sorted_deaths, weights=(0.1, 1.0)),
        sliced=dict(
            title='sliced', kind='topology', loss=dict(sorted_deaths, distance='sliced_wasserstein'), weights=(0.1, )),
        more_kd=dict(title='more KD', kind='control', loss=kd, weights=(1.0, )),
        rkd=dict(title='RKD', kind='reference', loss=dict(type='topkd.RKDLoss'), weights=(1.0, )),
        pkt=dict(title='PKT', kind='reference', loss=dict(type='topkd.PKTLoss'), weights=(100.0, )),
    ),
    main_base='KD',
    seeds=dict(weights=(0, ), screening=(1, 2), final=(3, 4, 5), second_pair=(3, ), replication=(6, 7, 8)),
    screening=dict(always=('ripsnet', 'more_kd'), topology=1, references=1, other_bases=1, margin=-0.5),
    answer=dict(level=0.05, negligible=0.5),
    cohort=4,
    judged=(),
    replicated=('sorted', 'rkd'),
    clouds=dict(interval=1, clouds=2, num_points=16),
)
"""


@pytest.fixture
def config(tmp_path):
    """Write the study's config and return its path."""
    pair = str(CONFIGS / '_base_/pairs/resnet20-resnet8_digits.py')
    (tmp_path / 'first.py').write_text(PAIR.format(base=pair))
    (tmp_path / 'second.py').write_text("_base_ = './first.py'\nmodel = dict(student=dict(backbone=dict(depth=14)))\n")
    (tmp_path / 'study.py').write_text(STUDY)
    return tmp_path / 'study.py'


@pytest.fixture
def study(config):
    return Study(config)


@pytest.fixture
def ledger(study, tmp_path):
    return Ledger(tmp_path / 'ledger', study)


@pytest.fixture
def fill(ledger):
    """Return a function that files runs, with a score for each, as if they had been trained."""

    def write(runs, score, test=lambda run: 50.0):
        for run in runs:
            found = dict(epochs=2, stopped=False, validation={METRIC: score(run)}, curve={'2': score(run)})
            ledger.write(run, dict(found, test={METRIC: test(run)}) if run.tested else found)

    return write
