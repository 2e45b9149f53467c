"""What a config may say of the making of clouds and of RipsNet's training, checked before anything is done."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from topkd.artifacts.artifact import OPERATORS
from topkd.artifacts.cloud_origins import check_scales
from topkd.utils.checks import flag, number, seed, whole, wholes

Check = Callable[[str, Any], Any]


class Settings(NamedTuple):
    """The settings of one dict of a config.

    Attributes:
        name (str): What the config calls the dict: 'clouds' or 'ripsnet'.
        defaults (Mapping): All settings.
        checks (Mapping): Functions of a setting's full name and value, by its name.
    """

    name: str
    defaults: Mapping[str, Any]
    checks: Mapping[str, Check]

    def complete(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        """Check every setting that was given, and complete them by their defaults.

        Args:
            given (Mapping, optional): Departures from the defaults.

        Returns:
            dict: All settings.

        Raises:
            KeyError: If there is no such setting.
            TypeError: If one is of another type.
            ValueError: If one is out of range.

        Examples:
            >>> Settings('clouds', dict(num_clouds=10, chunk=512), dict(chunk=one_or_more)).complete(dict(chunk=2))
            {'num_clouds': 10, 'chunk': 2}
        """
        given = dict(given or {})
        unknown = set(given) - set(self.defaults)
        if unknown:
            raise KeyError(
                f'{self.name} has no setting {", ".join(map(str, sorted(unknown, key=str)))}; it has '
                f'{", ".join(self.defaults)}: correct its name in the config'
            )
        for name, check in self.checks.items():
            if name in given:
                check(f'{self.name}.{name}', given[name])
        return self.filled(given)

    def filled(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        """Complete settings without a look at them: for plans, whose runs are all checked together later.

        Args:
            given (Mapping, optional): Departures from the defaults.

        Examples:
            >>> Settings('clouds', dict(num_clouds=10, chunk=512), {}).filled(None)
            {'num_clouds': 10, 'chunk': 512}
        """
        return {**self.defaults, **(given or {})}


def one_or_more(name: str, value: Any) -> Any:
    """Refuse what is no whole number from 1."""
    return whole(name, value, at_least=1)


def positive(name: str, value: Any) -> Any:
    """Refuse what is no number above 0."""
    return number(name, value, above=0)


def not_negative(name: str, value: Any) -> Any:
    """Refuse what is no number from 0."""
    return number(name, value, at_least=0)


def share(name: str, value: Any) -> Any:
    """Refuse what is no number between 0 and 1."""
    return number(name, value, above=0, below=1)


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


def scales(name: str, value: Any) -> Any:
    """Refuse what is neither None nor a range of factors."""
    if value is not None:
        check_scales(value)
    return value


def checkpoints(name: str, value: Any) -> Any:
    """Refuse what is no list of paths."""
    if not isinstance(value, (list, tuple)) or not all(isinstance(path, str) and path for path in value):
        raise TypeError(f"{name} must be a list of checkpoints such as ['student_epoch_1.pth'], got {value!r}")
    return value


CLOUDS = Settings(
    'clouds',
    dict(num_clouds=200_000, seed=0, batch_statistics=False, scales=None, students=(), chunk=512),
    dict(
        num_clouds=one_or_more, seed=seed, batch_statistics=flag, scales=scales, students=checkpoints, chunk=one_or_more
    ),
)
# Appendix B, and the authors' code for the share and the threshold
RIPSNET = Settings(
    'ripsnet',
    dict(
        operators=('mean', 'sum'),
        units=None,
        batch_size=64,
        lr=5e-4,
        max_epochs=25_000,
        patience=50,
        min_delta=1e-10,
        val_share=0.25,
        seed=0,
        log_interval=500,
    ),
    dict(
        operators=operators,
        units=widths,
        batch_size=one_or_more,
        lr=positive,
        max_epochs=one_or_more,
        patience=one_or_more,
        min_delta=not_negative,
        val_share=share,
        seed=seed,
        log_interval=one_or_more,
    ),
)
