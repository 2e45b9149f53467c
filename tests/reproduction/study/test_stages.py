"""Which runs each stage has, chosen by what the stages before it found on the validation images."""

import pytest

from topkd.reproduction.study.screening import finalists, for_other_bases
from topkd.reproduction.study.stages import STAGES, base_weights, screened_differences, term_weights


def runs_of(stage, ledger):
    return STAGES[stage].runs(ledger.study, ledger)


@pytest.fixture
def screened(ledger, fill):
    """Fill the ledger up to the screening: KD 3 is best, sorted deaths and references gain, the others lose."""
    gain = dict(ripsnet=-3.0, sorted=0.5, sliced=-0.4, more_kd=-2.0, rkd=0.1, pkt=0.2)
    fill(runs_of('bases', ledger), lambda run: 20.0 + run.base_weight)
    fill(runs_of('weights', ledger), lambda run: 20.0 + run.weight)
    fill(runs_of('screening', ledger), lambda run: 25.0 + run.seed + gain.get(run.term, 0.0))
    return ledger


def test_bases_and_weights_are_chosen_by_the_best_validation(ledger, fill):
    bases = runs_of('bases', ledger)
    assert [(run.base, run.base_weight, run.seed, run.tested) for run in bases] == [
        ('KD', 1.0, 0, False),
        ('KD', 3.0, 0, False),
    ]
    with pytest.raises(LookupError, match="'KD-1_seed0' of first is not finished"):
        runs_of('weights', ledger)
    fill(bases, lambda run: {1.0: 21.0, 3.0: 20.0}[run.base_weight])
    assert base_weights(ledger.study, ledger) == dict(CE=None, KD=1.0)
    weights = runs_of('weights', ledger)
    assert len(weights) == 8 and {run.base_weight for run in weights} == {1.0}
    fill(weights, lambda run: 20.0)
    # of equals the first of the grid, whatever its size
    assert term_weights(ledger.study, ledger) == dict(
        ripsnet=5.0, sorted=0.1, sliced=0.1, more_kd=1.0, rkd=1.0, pkt=100.0
    )


def test_a_stopped_run_is_never_chosen(ledger, fill):
    bases = runs_of('bases', ledger)
    fill(bases, lambda run: 20.0)
    ledger.write(bases[0], dict(epochs=2, stopped=True))
    assert base_weights(ledger.study, ledger)['KD'] == 3.0


def test_screening_is_paired_with_the_base_of_the_same_seeds(screened):
    runs = runs_of('screening', screened)
    assert [run.seed for run in runs] == [1] * 7 + [2] * 7
    assert [run.term for run in runs[:7]] == [None, *screened.study.terms]
    assert {run.weight for run in runs if run.term == 'sorted'} == {1.0}
    found = screened_differences(screened.study, screened)
    assert found == pytest.approx(dict(ripsnet=-3.0, sorted=0.5, sliced=-0.4, more_kd=-2.0, rkd=0.1, pkt=0.2))


def test_what_passes(study):
    differences = dict(ripsnet=-3.0, sorted=-0.4, sliced=-0.2, more_kd=-9.0, rkd=-0.6, pkt=-0.7)
    # sliced before sorted; no reference within the margin; two in any case
    assert finalists(study, differences) == ['ripsnet', 'sliced', 'more_kd']
    assert for_other_bases(study, differences) == ['sliced']
    assert for_other_bases(study, dict(differences, ripsnet=0.0)) == ['ripsnet']
    others = dict(differences, sliced=-0.6, sorted=-0.6, rkd=1.0, pkt=1.1)
    assert finalists(study, others) == ['ripsnet', 'more_kd', 'pkt']


def test_final_runs_are_tested_on_new_seeds_and_other_bases_have_fewer(screened):
    runs = runs_of('final', screened)
    assert all(run.tested and run.seed in (3, 4, 5) and run.pair == 'first' for run in runs)
    first = [(run.base, run.base_weight, run.term, run.weight) for run in runs if run.seed == 3]
    assert first == [
        ('CE', None, None, None),
        ('CE', None, 'sorted', 1.0),
        ('KD', 3.0, None, None),
        ('KD', 3.0, 'ripsnet', 5.0),
        ('KD', 3.0, 'sorted', 1.0),
        ('KD', 3.0, 'more_kd', 1.0),
        ('KD', 3.0, 'pkt', 100.0),
    ]
    second = runs_of('second_pair', screened)
    assert {run.pair for run in second} == {'second'} and len(second) == 5 and all(run.tested for run in second)


def test_a_replication_runs_what_is_named_on_seeds_of_its_own(screened):
    runs = runs_of('replication', screened)
    assert {(run.pair, run.base, run.base_weight, run.tested) for run in runs} == {('first', 'KD', 3.0, True)}
    assert [(run.seed, run.term, run.weight) for run in runs[:4]] == [
        (6, None, None),
        (6, 'sorted', 1.0),
        (6, 'rkd', 1.0),
        (7, None, None),
    ]
    assert len(runs) == 9


def test_what_the_test_images_say_changes_no_stage(screened, fill):
    stages = ('final', 'second_pair', 'replication')
    before = [runs_of(stage, screened) for stage in stages]
    fill(runs_of('final', screened), lambda run: 0.0, test=lambda run: 99.0 if run.term == 'pkt' else 0.0)
    assert [runs_of(stage, screened) for stage in stages] == before
