"""Numbers of a command line."""

from argparse import ArgumentTypeError

import pytest

from topkd.cli import count, seed, share


@pytest.mark.parametrize('word', ['0', '-3', 'many'])
def test_counts_begin_at_one(word):
    with pytest.raises(ArgumentTypeError, match=f"expected a whole number from 1, got '{word}'"):
        count(word)


@pytest.mark.parametrize('word', ['0', '1', '-0.5', 'nan', 'half', ''])
def test_shares_lie_between_zero_and_one(word):
    with pytest.raises(ArgumentTypeError, match=f"expected a number above 0 and below 1, got '{word}'"):
        share(word)
    assert share('0.25') == 0.25


@pytest.mark.parametrize('word', ['-1', '4294967296', '1.5', 'x', '²'])
def test_seeds_are_those_of_numpy(word):
    with pytest.raises(ArgumentTypeError, match=f"expected a whole number from 0 to 4294967295, got '{word}'"):
        seed(word)
    assert seed('0') == 0
