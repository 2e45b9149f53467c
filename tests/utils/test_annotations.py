"""Arguments against the types that signatures declare."""

from collections.abc import Sequence

import pytest
from torch import nn

from topkd.utils.annotations import fits, mistyped, words_for_numbers


class Example:
    def __init__(self, tau: float, size: int | None = None, part: 'dict | nn.Module' = None, free=None) -> None: ...


class Derived(Example):
    def __init__(self, *args, steps: Sequence[int] | int = 1, word: str | int = 0, **kwargs) -> None: ...


def test_words_where_nothing_but_numbers_belongs():
    given = dict(tau='a', size=2.5, part='x', free='x', steps='1,2', word='fast')
    assert words_for_numbers(Derived, given) == [
        "tau must be of type float, got 'a'",
        "steps must be of type Sequence[int] | int, got '1,2'",
    ]
    assert words_for_numbers(lambda anything: None, given) == []


def test_all_that_is_wrong_is_listed():
    assert mistyped(Example, dict(tau=1, size=None, part=dict(type='x'), free='anything')) == []
    assert mistyped(Example, dict(tau='a', size=2.5, part=3)) == [
        "tau must be of type float, got 'a'",
        'size must be of type int | None, got 2.5',
        'part must be of type dict | Module, got 3',
    ]
    assert mistyped(Example, dict(unknown=1)) == []


@pytest.mark.parametrize(
    'value, declared, expected',
    [
        (True, int, False),
        (True, float, False),
        (1, bool, False),
        (1, float, True),
        ([1, 2], Sequence[int], True),
        ((1, 'a'), Sequence[int], False),
        ('ab', Sequence[str], False),
        ([1], tuple[int, ...], True),
        ([1, 0.5], tuple[int, float], True),
        ([0.5, 1], tuple[int, float], False),
        ([1], tuple[int, float], False),
        ([(0, 0.1), (10, 1.0)], Sequence[tuple[int, float]], True),
        ({'a': 1}, dict[str, float], True),
        (None, nn.Module, False),
        (nn.ReLU(), nn.Module, True),
        (3, str | Sequence[str], False),
    ],
)
def test_values_that_may_stand_for_a_type(value, declared, expected):
    assert fits(value, declared) is expected
