"""Build components of this package from configs."""

from typing import Any

from torch import nn

from topkd.registry import MODELS
from topkd.utils.annotations import mistyped


def build(config: dict | nn.Module) -> Any:
    """Build a component of this package, whose type may be written without the prefix ``topkd.``.

    Args:
        config (dict | nn.Module): Its config; a module is returned as it is.

    Raises:
        KeyError: If there is no such type.
        TypeError: If the config is no dict with a type, or an argument is not what the class declares.
    """
    if isinstance(config, nn.Module):
        return config
    if not isinstance(config, dict) or 'type' not in config:
        raise TypeError(f"a component must be a dict with its 'type', got {config!r}: correct it in the config")
    arguments = {name: value for name, value in config.items() if name not in ('type', '_scope_')}
    kind = component_class(config)
    wrong = mistyped(kind, arguments)
    if wrong:
        raise TypeError(f'{kind.__name__}: {"; ".join(wrong)}: correct it in the config')
    return MODELS.build({'_scope_': 'topkd', **config, 'type': kind})


def component_class(config: dict) -> type:
    """Return the class that a config names.

    Args:
        config (dict): With ``type``, a name of the registry or the class itself.

    Raises:
        KeyError: If the registry knows no such name.
    """
    kind = config['type']
    if isinstance(kind, type):
        return kind
    scope = config.get('_scope_', 'topkd')
    at_hand = MODELS.module_dict.get(kind.removeprefix('topkd.')) if scope == 'topkd' else None
    if at_hand is not None:  # a registry that is asked imports the host toolbox's networks first, which takes seconds
        return at_hand
    with MODELS.switch_scope_and_registry(scope) as registry:
        found = registry.get(kind)
    if found is None:
        raise KeyError(f"'{kind}' is not in the registry of models: correct the type in the config")
    return found
