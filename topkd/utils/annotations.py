"""Compare arguments with the types that a function's signature declares.

Checkers such as typeguard or pydantic are stricter than a config, in which a list stands for a tuple and 1 for 1.0.
"""

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

# what stands for a declared type in a config: any whole number is a float, a list is a tuple
KINDS: dict[type, tuple[type, ...]] = {
    int: (Integral,),
    float: (Real,),
    bool: (bool,),
    str: (str,),
    dict: (dict,),
    list: (list, tuple),
    tuple: (list, tuple),
}


def mistyped(function: Callable, arguments: Mapping[str, Any]) -> list[str]:
    """List the arguments whose values are of another type than the signature declares.

    Args:
        function (Callable): A class or a function; what it does not annotate is not compared.
        arguments (Mapping): Values by name.

    Returns:
        list[str]: One clause an argument, empty if all fit.

    Example:
        >>> def soften(tau: float = 4.0, levels: list[int] | None = None) -> None: ...
        >>> mistyped(soften, dict(tau='four', levels=[1, 2]))
        ["tau must be of type float, got 'four'"]
        >>> mistyped(soften, dict(tau=4))
        []
    """
    hints = _declared(function)
    return [
        _refused(name, hints[name], value)
        for name, value in arguments.items()
        if name in hints and not fits(value, hints[name])
    ]


def words_for_numbers(function: Callable, arguments: Mapping[str, Any]) -> list[str]:
    """List the arguments that are words where the signature declares nothing but numbers, alone or in sequences.

    Args:
        function (Callable): A class or a function, of any package.
        arguments (Mapping): Values by name.

    Example:
        >>> def scale(factor: float | list[float] = 1.0, mode: int | str = 0) -> None: ...
        >>> words_for_numbers(scale, dict(factor='2', mode='fast'))
        ["factor must be of type float | list[float], got '2'"]
    """
    hints = _declared(function)
    return [
        _refused(name, hints[name], value)
        for name, value in arguments.items()
        if isinstance(value, str) and name in hints and _is_numeric(hints[name])
    ]


def _declared(function: Callable) -> dict[str, Any]:
    """Return the annotations of a signature; of a class that hands arguments on, those of its bases, too."""
    try:
        if not inspect.isclass(function):
            return typing.get_type_hints(function)
        hints: dict[str, Any] = {}
        for start in (vars(kind).get('__init__') for kind in function.__mro__):
            if start is None:
                continue
            hints = {**typing.get_type_hints(start), **hints}
            if not any(one.kind is one.VAR_KEYWORD for one in inspect.signature(start).parameters.values()):
                break
        return hints
    except Exception:  # annotations of other packages may name what is not imported
        return {}


def _is_numeric(declared: Any) -> bool:
    inner = [option for option in typing.get_args(declared) if option not in (type(None), Ellipsis)]
    return all(map(_is_numeric, inner)) if inner else declared in (int, float, bool)


def _refused(name: str, declared: Any, value: Any) -> str:
    return f'{name} must be of type {_name(declared)}, got {_short(value)}'


def fits(value: Any, declared: Any) -> bool:
    """Tell whether a value may stand for a declared type; a type that this does not know passes.

    Args:
        value (Any): From a config.
        declared (Any): An annotation.
    """
    origin, inner = typing.get_origin(declared), typing.get_args(declared)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, option) for option in inner)
    if declared is type(None):
        return value is None
    kind = origin or declared
    if kind is tuple and inner and Ellipsis not in inner:
        return _is_sequence(value) and len(value) == len(inner) and all(map(fits, value, inner))
    if kind in (Sequence, list, tuple):
        items = [item for item in inner if item is not Ellipsis][:1]
        return _is_sequence(value) and all(fits(item, items[0]) for item in value if items)
    if kind is Mapping:
        return isinstance(value, Mapping)
    if kind not in KINDS:
        # a class of this or of another package; None is no instance of any
        return value is not None and not (inspect.isclass(kind) and isinstance(value, (bool, Real)))
    return isinstance(value, KINDS[kind]) and (kind is bool or not isinstance(value, bool))


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _name(declared: Any) -> str:
    return declared.__name__ if inspect.isclass(declared) and not typing.get_args(declared) else _plain(str(declared))


def _plain(text: str) -> str:
    for prefix in ('typing.', 'collections.abc.', 'torch.nn.modules.module.'):
        text = text.replace(prefix, '')
    return text


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else f'a {type(value).__name__}'
