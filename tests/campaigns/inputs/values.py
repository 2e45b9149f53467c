"""Values that an entry of a config, or an argument of a constructor, cannot have, or hardly."""

import inspect
import types
import typing
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config

from topkd.artifacts.settings import CLOUDS, RIPSNET
from topkd.utils.error_context import entries
from topkd.utils.registered import find_class

NAN, INF = float('nan'), float('inf')
# a run could take for ever, or all of the machine, without being wrong
ENDLESS = {
    'max_epochs', 'max_iters', 'num_workers', 'num_clouds', 'persistent_workers', 'probe_shape', 'units', 'resolution',
    'num_negatives', 'patience', 'hidden', 'channels', 'width', 'depth', 'mid_channels', 'num_kernels', 'dim', 'length',
}  # fmt: skip
BY_KIND: dict[type, list[Any]] = {
    bool: ['maybe', 3, [], {}, None, NAN],
    int: ['abc', -1, 0, NAN, INF, 2.5, True, None, [], {}, 10**9, 10**30],
    float: ['abc', -1.0, 0, NAN, INF, -INF, True, None, [], {}, 1e30, 10**400],
    str: ['', 'nowhere', 3, [], {}, None, 'a' * 3000, '\x01'],
    type(None): ['nowhere', -1, {}],
    list: [[], 'abc', 3, [None], [NAN], {}, [[]]],
    tuple: [[], 'abc', 3, [None], [NAN], {}, (0, 0, 0)],
    dict: ['abc', 3, [], {}, None, dict(type='Nothing'), dict(a=dict(b=1))],
}


def is_endless(name: str, value: Any) -> bool:
    """Tell whether a value of a setting would make a valid run too long."""
    sizes = value if isinstance(value, (list, tuple)) else [value]
    return name in ENDLESS and any(isinstance(size, (int, float)) and size > 1000 for size in sizes)


def bad_values(name: str, kind: type) -> list[Any]:
    """List malformed values of a setting that should be of a kind."""
    return [value for value in BY_KIND.get(kind, BY_KIND[dict]) if not is_endless(name, value)]


def settings_of(cfg: Config) -> Iterator[tuple[dict, str, type, str]]:
    """Yield all that a config could set: the dict it stands in, its name, its kind, and its place.

    The arguments of every class of this package that the config names count, whether the config gives them or not, and
    the settings of clouds and RipsNets.
    """
    for settings in (CLOUDS, RIPSNET):
        for name, default in settings.defaults.items():
            yield cfg._cfg_dict.setdefault(settings.name, {}), name, type(default), f'{settings.name}.{name}'
    for place, node in entries(cfg):
        kind = find_class(node.get('type'), cfg.get('default_scope') or 'mmengine') if isinstance(node, dict) else None
        if kind is None or not kind.__module__.startswith('topkd.'):
            continue
        for name, parameter in inspect.signature(kind).parameters.items():
            if parameter.kind is not parameter.VAR_KEYWORD and parameter.kind is not parameter.VAR_POSITIONAL:
                yield node, name, _kind(kind, name), f'{place}.{name}'


def _kind(owner: type, name: str) -> type:
    """Return the kind of values that a constructor declares for an argument."""
    try:
        declared = typing.get_type_hints(owner.__init__)[name]
    except Exception:
        return str
    options = [declared]
    if typing.get_origin(declared) in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(declared) if option is not type(None)]
    kind = typing.get_origin(options[0]) or options[0]
    return next((known for known in BY_KIND if isinstance(kind, type) and issubclass(kind, known)), list)
