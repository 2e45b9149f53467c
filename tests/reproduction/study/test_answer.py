"""The rule of the answer on differences made by hand."""

import pytest

from topkd.reproduction.study.answer import HELPS, HELPS_TOO, NO_HELP, UNDECIDED, answer_of, answers
from topkd.reproduction.study.findings import Comparison
from topkd.reproduction.study.stages import STAGES
from topkd.utils.paired_statistics import PairedDifference


def row(term, mean, half, adjusted):
    """Make up a comparison whose interval by t is the mean with half its width to either side."""
    interval = (mean - half, mean + half)
    found = PairedDifference([mean, mean], mean, 0.1, interval, interval, p=adjusted / 3)
    return Comparison('pair', 'KD', term, 1.0, {}, [], found, adjusted=adjusted)


BASE = Comparison('pair', 'KD', None, None, {}, [])


@pytest.mark.parametrize(
    ('rows', 'answer', 'terms'),
    [
        ([row('ripsnet', 0.1, 0.3, 0.9), row('sorted', 1.0, 0.4, 0.01), row('rkd', 0.9, 0.2, 0.01)], HELPS, ['sorted']),
        ([row('sorted', 1.0, 0.4, 0.01), row('rkd', 1.0, 0.2, 0.01), row('more_kd', -1, 0.2, 0.01)], HELPS, ['sorted']),
        ([row('sorted', 1.0, 0.4, 0.01), row('sliced', 1.2, 0.4, 0.01), row('rkd', 1.1, 0.2, 0.01)], HELPS, ['sliced']),
        ([row('sorted', 1.0, 0.4, 0.01), row('rkd', 1.1, 0.2, 0.01)], HELPS_TOO, ['sorted']),
        # more of the base is a rival as well, whether or not its own gain is certain
        ([row('sorted', 1.0, 0.4, 0.01), row('more_kd', 1.1, 2.0, 0.7)], HELPS_TOO, ['sorted']),
        ([row('ripsnet', 0.1, 0.3, 0.9), row('sorted', 0.2, 0.25, 0.08), row('rkd', 0.9, 0.2, 0.01)], NO_HELP, []),
        # a loss is no gain, however certain
        ([row('ripsnet', -2.0, 0.3, 0.001), row('sorted', 0.2, 0.25, 0.08)], NO_HELP, []),
        ([row('ripsnet', 0.1, 0.3, 0.9), row('sorted', 0.6, 0.7, 0.08)], UNDECIDED, []),
        ([row('sorted', 0.4, 0.1, 0.05)], UNDECIDED, []),  # the level itself is not below it
    ],
)
def test_the_rule(study, rows, answer, terms):
    found = answer_of(study, [BASE, *rows])
    assert (found.answer, found.terms) == (answer, terms)


def test_it_names_the_papers_term_and_the_best_of_what_is_not_topology(study):
    rows = [row('ripsnet', 0.1, 0.3, 0.9), row('rkd', 0.2, 0.1, 0.5), row('more_kd', 0.4, 0.1, 0.5)]
    found = answer_of(study, [BASE, *rows])
    assert found.paper is rows[0] and found.rival is rows[2]
    assert answer_of(study, [BASE]) == (UNDECIDED, [], None, None)


def test_no_pair_is_answered_before_its_last_run(ledger, fill):
    for stage in ('bases', 'weights', 'screening'):
        fill(STAGES[stage].runs(ledger.study, ledger), lambda run: 20.0)
    finals = STAGES['final'].runs(ledger.study, ledger)
    needed = [run for run in finals if run.base == 'KD']
    fill(needed[:-1], lambda run: 20.0, lambda run: 50.0 + run.seed)
    assert answers(ledger) == {}
    fill(needed[-1:], lambda run: 20.0, lambda run: 50.0 + run.seed)  # those on other bases need not be there
    assert answers(ledger)['first'].answer == NO_HELP
