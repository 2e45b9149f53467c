"""Checks of single values: each returns the value, or refuses it in a sentence with the name that the user wrote.

Validation libraries check whole schemas; one value with the name that the user wrote, in one sentence, is simpler by
hand.
"""

import math
from collections.abc import Collection, Sequence
from numbers import Integral, Real
from typing import Any, cast


def number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    below: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return a finite number.

    Args:
        name (str): What the user calls it, for example ``'loss_weight'``.
        value (Any): What the user gave.
        above (float, optional): Greatest number that is too small.
        below (float, optional): Smallest number that is too great.
        at_least (float, optional): Smallest number that is allowed.
        at_most (float, optional): Greatest number that is allowed.

    Raises:
        TypeError: If the value is no number.
        ValueError: If it is NaN, infinite or out of range.

    Example:
        >>> number('loss_weight', 2, at_least=0)
        2
        >>> number('tau', 0.0, above=0)
        Traceback (most recent call last):
        ValueError: tau must be positive, got 0.0: correct it in the config
    """
    limits = _limits(above, at_least, at_most, below)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(_refused(name, f'a number, {limits}', value))
    # value itself is returned: 2 stays 2, a numpy number stays one
    plain = _float(value)
    if not math.isfinite(plain) or not _inside(plain, above, at_least, at_most, below):
        raise ValueError(_refused(name, limits if math.isfinite(plain) else f'finite and {limits}', value))
    return cast(float, value)


def whole(name: str, value: Any, *, at_least: int | None = None, at_most: int | None = None) -> int:
    """Return a whole number; arguments as in :func:`number`.

    Raises:
        TypeError: If the value is no whole number.
        ValueError: If it is out of range.

    Example:
        >>> whole('num_points', 64, at_least=2)
        64
    """
    limits = _limits(None, at_least, at_most)
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(_refused(name, f'a whole number, {limits}', value))
    if not _inside(int(value), None, at_least, at_most):
        raise ValueError(_refused(name, limits, value))
    return int(value)


def seed(name: str, value: Any) -> int:
    """Return a seed of random numbers, as NumPy takes them: a whole number of 32 bits.

    Raises:
        TypeError: If the value is no whole number.
        ValueError: If it is out of range.

    Example:
        >>> seed('clouds.seed', -1)
        Traceback (most recent call last):
        ValueError: clouds.seed must be from 0 to 4294967295, got -1: correct it in the config
    """
    return whole(name, value, at_least=0, at_most=2**32 - 1)


def wholes(name: str, value: Any, *, count: int | None = None, at_least: int | None = None) -> tuple[int, ...]:
    """Return a tuple of whole numbers.

    Args:
        name (str): What the user calls it.
        value (Any): A sequence.
        count (int, optional): How many there must be; None for one or more.
        at_least (int, optional): Smallest number that is allowed.

    Raises:
        TypeError: If the value is no sequence of whole numbers.
        ValueError: If there are too few or too many, or one is out of range.

    Example:
        >>> wholes('units', [64, 32, 32], count=3, at_least=1)
        (64, 32, 32)
    """
    expected = (
        f'{count or "one or more"} whole numbers{"" if at_least is None else f", each {_limits(None, at_least, None)}"}'
    )
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise TypeError(_refused(name, expected, value))
    if not all(isinstance(item, Integral) and not isinstance(item, bool) for item in value):
        raise TypeError(_refused(name, expected, value))
    if len(value) != (count or max(len(value), 1)) or not all(_inside(item, None, at_least, None) for item in value):
        raise ValueError(_refused(name, expected, value))
    return tuple(int(item) for item in value)


def choice(name: str, value: Any, options: Collection[str]) -> str:
    """Return a word that is one of several.

    Raises:
        ValueError: If it is none of them.

    Example:
        >>> choice('rule', 'less', ('greater', 'less'))
        'less'
    """
    if not isinstance(value, str) or value not in options:
        raise ValueError(_refused(name, _words(options), value))
    return value


def flag(name: str, value: Any) -> bool:
    """Return True or False.

    Raises:
        TypeError: If the value is neither.

    Example:
        >>> flag('gather', True)
        True
    """
    if not isinstance(value, bool):
        raise TypeError(_refused(name, 'True or False', value))
    return value


def _words(options: Collection[str]) -> str:
    return ' or '.join(map(repr, options)) if len(options) < 3 else f'one of {", ".join(options)}'


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number beyond all floats
        return math.inf


def _inside(
    value: float, above: float | None, at_least: float | None, at_most: float | None, below: float | None = None
) -> bool:
    return not (
        (above is not None and value <= above)
        or (below is not None and value >= below)
        or (at_least is not None and value < at_least)
        or (at_most is not None and value > at_most)
    )


def _limits(above: float | None, at_least: float | None, at_most: float | None, below: float | None = None) -> str:
    if below is not None:
        return f'above {above} and below {below}' if above is not None else f'below {below}'
    if above is not None and at_most is None:
        return 'positive' if above == 0 else f'above {above}'
    if at_most is not None:
        return f'above {above} and at most {at_most}' if above is not None else f'from {at_least} to {at_most}'
    return 'finite' if at_least is None else f'{at_least} or more'


def _refused(name: str, expected: str, value: Any) -> str:
    shown = repr(value)
    return f'{name} must be {expected}, got {shown if len(shown) < 200 else shown[:200]}: correct it in the config'
