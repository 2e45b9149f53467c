"""What a config may say of the making of clouds and of RipsNet's training, checked before anything is done."""

from collections.abc import Callable, Mapping
from typing import Any

from topkd.models.vectorizers import OPERATORS
from topkd.utils.checks import flag, number, whole, wholes

Check = Callable[[str, Any], Any]


def checked(owner: str, given: Mapping[str, Any], defaults: Mapping[str, Any], checks: Mapping[str, Check]) -> dict:
    """Complete settings by their defaults, and check every one that was given.

    Args:
        owner (str): What the config calls them: 'clouds' or 'ripsnet'.
        given (Mapping): Departures from the defaults.
        defaults (Mapping): All settings.
        checks (Mapping): Functions of a setting's full name and value, by its name.

    Returns:
        dict: All settings.

    Raises:
        KeyError: If there is no such setting.
        TypeError: If one is of another type.
        ValueError: If one is out of range.

    Examples:
        >>> checked('clouds', dict(chunk=2), dict(num_clouds=10, chunk=512), dict(chunk=one_or_more))
        {'num_clouds': 10, 'chunk': 2}
    """
    unknown = set(given) - set(defaults)
    if unknown:
        raise KeyError(f'{owner} has no setting {", ".join(sorted(unknown))}; it has {", ".join(defaults)}')
    for name, check in checks.items():
        if name in given:
            check(f'{owner}.{name}', given[name])
    return {**defaults, **given}


def one_or_more(name: str, value: Any) -> Any:
    """Refuse what is no whole number from 1."""
    return whole(name, value, at_least=1)


def zero_or_more(name: str, value: Any) -> Any:
    """Refuse what is no whole number from 0."""
    return whole(name, value, at_least=0)


def positive(name: str, value: Any) -> Any:
    """Refuse what is no number above 0."""
    return number(name, value, above=0)


def not_negative(name: str, value: Any) -> Any:
    """Refuse what is no number from 0."""
    return number(name, value, at_least=0)


def share(name: str, value: Any) -> Any:
    """Refuse what is no number between 0 and 1."""
    return number(name, value, above=0, at_most=1)


def widths(name: str, value: Any) -> Any:
    """Refuse what is not None and not three widths of layers."""
    return None if value is None else wholes(name, value, count=3, at_least=1)


def operators(name: str, value: Any) -> Any:
    """Refuse what is no list of operators."""
    if isinstance(value, str) or not isinstance(value, (list, tuple)) or not value:
        raise TypeError(f"{name} must be a list such as ['mean', 'sum'], got {value!r}: write it as a list")
    for operator in value:
        if operator not in OPERATORS:
            raise ValueError(f"RipsNet's operator must be 'mean' or 'sum', got '{operator}': correct {name}")
    return value


CLOUDS: dict[str, Check] = dict(num_clouds=one_or_more, seed=zero_or_more, batch_statistics=flag, chunk=one_or_more)
RIPSNET: dict[str, Check] = dict(
    operators=operators,
    units=widths,
    batch_size=one_or_more,
    lr=positive,
    max_epochs=one_or_more,
    patience=one_or_more,
    min_delta=not_negative,
    val_share=share,
    seed=zero_or_more,
    log_interval=one_or_more,
)
