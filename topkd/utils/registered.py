"""Find the class that a config's ``type`` names, whatever registry it is in.

MMEngine's registries look in one kind of component at a time.
"""

import inspect
from typing import Any

from mmengine.registry import DATASETS, HOOKS, METRICS, MODELS

REGISTRIES = (MODELS, DATASETS, HOOKS, METRICS)


def find_class(kind: Any, scope: str = 'mmengine') -> type | None:
    """Return the class of a name.

    Args:
        kind (str | type): Name with or without its scope, or the class itself.
        scope (str): Where a name without scope is looked for first; then among this package's. Defaults to 'mmengine'.

    Returns:
        type | None: None if no registry knows the name.

    Examples:
        >>> find_class('topkd.StepSeedHook').__name__
        'StepSeedHook'
        >>> find_class('no such class') is None
        True
    """
    if isinstance(kind, type):
        return kind
    if not isinstance(kind, str):
        return None
    for place in (scope, 'topkd'):
        for registry in REGISTRIES:
            with registry.switch_scope_and_registry(place) as own:
                found = own.get(kind)
            if isinstance(found, type):
                return found
    return None


def argument_names(kind: type) -> set[str] | None:
    """Return the names that a class's constructor takes, None if it takes any."""
    parameters = inspect.signature(kind).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return {parameter.name for parameter in parameters}
