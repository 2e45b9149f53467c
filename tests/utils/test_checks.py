"""Checks of single values."""

import pytest

from topkd.utils.checks import choice, flag, number, whole, wholes


def test_what_is_right_comes_back():
    assert number('x', 2.5, above=0) == 2.5 and number('x', 0, at_least=0) == 0
    assert whole('x', 3, at_least=3, at_most=3) == 3 and flag('x', False) is False
    assert wholes('x', [1, 2], at_least=1) == (1, 2) and choice('x', 'a', ('a', 'b')) == 'a'


@pytest.mark.parametrize(
    'check, value, options, kind, message',
    [
        (number, 'a', {}, TypeError, "x must be a number, finite, got 'a': correct it in the config"),
        (number, True, dict(above=0), TypeError, 'x must be a number, positive, got True'),
        (number, float('nan'), dict(at_least=0), ValueError, 'x must be finite and 0 or more, got nan'),
        (number, float('inf'), dict(above=1), ValueError, 'x must be finite and above 1, got inf'),
        (number, 1.5, dict(at_least=0, at_most=1), ValueError, 'x must be from 0 to 1, got 1.5'),
        (number, 0, dict(above=0, at_most=1), ValueError, 'x must be above 0 and at most 1, got 0'),
        (whole, 2.0, dict(at_least=1), TypeError, 'x must be a whole number, 1 or more, got 2.0'),
        (whole, 0, dict(at_least=1), ValueError, 'x must be 1 or more, got 0'),
        (wholes, 20, dict(count=2, at_least=1), TypeError, 'x must be 2 whole numbers, each 1 or more, got 20'),
        (wholes, '12', {}, TypeError, "x must be one or more whole numbers, got '12'"),
        (wholes, (0, 1), dict(count=2, at_least=1), ValueError, r'got \(0, 1\)'),
        (wholes, (1,), dict(count=3), ValueError, r'x must be 3 whole numbers, got \(1,\)'),
        (wholes, (), {}, ValueError, r'got \(\)'),
        (wholes, (1.5,), {}, TypeError, r'got \(1.5,\)'),
        (choice, 'c', dict(options=('a', 'b')), ValueError, "x must be 'a' or 'b', got 'c'"),
        (choice, 1, dict(options=('a', 'b', 'c')), ValueError, 'x must be one of a, b, c, got 1'),
        (flag, 'no', {}, TypeError, "x must be True or False, got 'no'"),
    ],
)
def test_what_is_wrong_is_named(check, value, options, kind, message):
    with pytest.raises(kind, match=message):
        check('x', value, **options)
