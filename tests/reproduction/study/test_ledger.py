"""Files of finished runs: what they are found by, and when they do not count."""

import json
from dataclasses import replace

import pytest

from topkd.reproduction.study.ledger import Ledger
from topkd.reproduction.study.protocol import Study
from topkd.reproduction.study.run import StudyRun, digest

RUN = StudyRun('first', 'KD', 3, 1.0, 'sorted', 1 / 3)


def test_a_file_a_run(ledger, fill):
    assert not ledger.is_done(RUN)
    fill([RUN], lambda run: 25.5)
    path = ledger.folder / 'first' / 'KD-1+sorted-0p333_seed3.json'
    assert json.loads(path.read_text())['run'] == dict(
        pair='first', base='KD', seed=3, base_weight=1.0, term='sorted', weight=1 / 3
    )
    assert ledger.is_done(RUN) and ledger.score(RUN) == 25.5
    # another clone finds it
    assert Ledger(ledger.folder, ledger.study).is_done(RUN)


def test_a_run_without_its_test_is_not_done_where_one_is_asked_for(ledger, fill):
    fill([RUN], lambda run: 25.5)
    tested = replace(RUN, tested=True)
    assert ledger.path(tested) == ledger.path(RUN) and not ledger.is_done(tested)
    fill([tested], lambda run: 25.5, test=lambda run: 24.0)
    assert ledger.score(tested, 'test') == 24.0 and ledger.is_done(RUN)


def test_a_run_of_another_config_is_refused(ledger, fill, config):
    fill([RUN], lambda run: 25.5)
    config.write_text(config.read_text().replace("distance='sorted_deaths'", "distance='signature'"))
    other = Ledger(ledger.folder, Study(config))
    with pytest.raises(ValueError, match='is of another config than the study'):
        other.is_done(RUN)


def test_digests_know_what_decides_a_result_and_nothing_else(study, config):
    with_ripsnet = StudyRun('first', 'KD', 3, 1.0, 'ripsnet', 5.0)
    before = digest(RUN, study), digest(with_ripsnet, study)
    harmless = {'model.teacher.checkpoint': 'elsewhere.pth', 'train_dataloader.num_workers': 2}
    more = "train_dataloader['dataset']['data_root'] = 'elsewhere'\npublished_of = dict(pair=1.0)\ncustom_hooks = []\n"
    pair = config.parent / 'first.py'
    pair.write_text(pair.read_text() + more)
    elsewhere = Study(config, harmless)
    assert (digest(RUN, elsewhere), digest(with_ripsnet, elsewhere)) == before
    for options, changed in (
        ({'train_cfg.max_epochs': 3}, (True, True)),
        ({'optim_wrapper.optimizer.lr': 0.5}, (True, True)),
        ({'train_dataloader.dataset.indices': [1, 2, 3]}, (True, True)),
        ({'model.teacher.model.backbone.depth': 8}, (True, True)),
        ({'model.student.backbone.depth': 14}, (True, True)),
        ({'val_dataloader.dataset.indices': [1, 2, 3]}, (True, True)),
        ({'clouds.num_clouds': 9}, (False, True)),
    ):
        other = Study(config, options)
        found = digest(RUN, other) != before[0], digest(with_ripsnet, other) != before[1]
        assert found == changed, options
    names = {digest(StudyRun('first', 'KD', seed, weight), study) for seed in (0, 1) for weight in (1.0, 3.0)}
    assert len(names) == 4
