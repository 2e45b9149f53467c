"""Build components of this package from configs."""

from typing import Any

from torch import nn

from topkd.registry import MODELS


def build(config: dict | nn.Module) -> Any:
    """Build a component of this package, whose type may be written without the prefix ``topkd.``.

    Args:
        config (dict | nn.Module): Its config; a module is returned as it is.
    """
    return config if isinstance(config, nn.Module) else MODELS.build(dict(dict(_scope_='topkd'), **config))


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
    with MODELS.switch_scope_and_registry(config.get('_scope_', 'topkd')) as registry:
        found = registry.get(kind)
    if found is None:
        raise KeyError(f"'{kind}' is not in the registry of models: correct the type in the config")
    return found
