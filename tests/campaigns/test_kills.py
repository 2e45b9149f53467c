"""The short form of the campaign of kills: some points of every kind of run."""

from .outcome import differences
from .short import campaign


def test_killed_runs_end_as_the_one_that_was_not(tmp_path):
    scenarios = ('gen_pi', 'train_ripsnet', 'distilled', 'folders')
    counts = campaign(tmp_path, 'kills', '--scenarios', *scenarios, '--runs', '8', '--seed', '7')
    assert counts['kills'] >= 8 and all(counts[f'runs killed of {name}'] == 2 for name in scenarios)


def test_two_tools_at_once_and_signals(tmp_path):
    counts = campaign(tmp_path, 'concurrency', '--runs', '6', '--seed', '7')
    assert all(counts[f'pairs of {name}'] == 1 for name in ('gen_pi', 'train_ripsnet', 'plain'))


def test_every_difference_is_found():
    left = dict(a=[1, 2.0], b=dict(c='x'), d=float('nan'))
    assert differences(left, dict(a=[1, 2.0], b=dict(c='x'), d=float('nan'))) == []
    assert differences(left, dict(a=[1, 3.0], b={}, d=0.0)) == ['/a/1: 2.0 and 3.0', '/b/c: missing', '/d: nan and 0.0']
