"""Where an error came from, read from its traceback: an entry of the config, a module of a network, a data set.

Tracebacks of MMEngine's registries name no entry of the config; no library maps one to the other.
"""

import traceback
from collections.abc import Iterator, Mapping
from io import IOBase
from types import FrameType
from typing import Any, NamedTuple

from mmengine.config import Config, ConfigDict
from mmengine.registry import build_from_cfg
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import Dataset

from topkd.utils.annotations import mistyped


class Failed(NamedTuple):
    """What was at work when an error was raised.

    Attributes:
        name (str): Its place in the config, or in the network.
        kind (str): Name of its class.
        given (str): What it worked on, in words; '' if nothing is known.
        mistyped (str): Which arguments are not of the types that the class declares, in words; '' if all are.
    """

    name: str
    kind: str
    given: str = ''
    mistyped: str = ''


def frames(error: BaseException) -> list[FrameType]:
    """Return the frames of an error's traceback, the innermost last."""
    return [frame for frame, _ in traceback.walk_tb(error.__traceback__)]


def open_file(error: BaseException) -> str | None:
    """Return the name of the file that the failing code had at hand, None if it had none.

    A full disk is noticed when a file is written, and the system does not say then which one it was.
    """
    for frame in reversed(frames(error)):
        for value in frame.f_locals.values():
            name = getattr(value, 'name', None) if isinstance(value, IOBase) else None
            if isinstance(name, str):
                return name
    return None


def as_raised(error: Exception) -> Exception:
    """Return the error of a hook, which MMEngine's runner raises again with the hook's address behind its words."""
    again = bool(frames(error)) and frames(error)[-1].f_code is Runner.call_hook.__code__
    return error.__context__ if again and isinstance(error.__context__, TypeError) else error


def loaded_config(error: BaseException) -> Config | None:
    """Return the config that the failing tool had read, None if it had none yet."""
    held = (frame.f_locals.get('cfg') for frame in frames(error))
    return next((cfg for cfg in held if isinstance(cfg, Config)), None)


def missing_entry(error: BaseException, cfg: Config | None) -> str | None:
    """Return the dotted name of the config entry that code asked for in vain, None if it was another error."""
    held = frames(error)[-1].f_locals if error.__traceback__ else {}
    owner = held.get('self')
    if not isinstance(error, (KeyError, AttributeError)) or not isinstance(owner, ConfigDict):
        return None
    name = held.get('name', held.get('key', error.args[0] if error.args else ''))
    place = next((path for path, node in entries(cfg) if node is owner), '')
    return f'{place}.{name}'.lstrip('.')


def failed_component(error: BaseException, cfg: Config | None) -> Failed | None:
    """Return the component that could not be built from its config, None if none was being built."""
    building = [frame.f_locals for frame in frames(error) if frame.f_code is build_from_cfg.__code__]
    if not building:
        return None
    config = building[-1].get('cfg')
    if not isinstance(config, Mapping):
        return Failed('', 'component', f'{config!r}')
    kind = config.get('type')
    return Failed(
        _place(config, cfg),
        kind if isinstance(kind, str) else getattr(kind, '__name__', 'component without type'),
        given=_arguments(building[-1].get('args')),
        mistyped=''
        if 'obj_cls' not in building[-1]
        else '; '.join(mistyped(building[-1]['obj_cls'], building[-1]['args'])),
    )


def failed_module(error: BaseException) -> Failed | None:
    """Return the module of a network that could not process its input, None if no network was running."""
    calls = [frame.f_locals for frame in frames(error) if frame.f_code is nn.Module._call_impl.__code__]
    if not calls:
        return None
    parts: list[str] = []
    owner: nn.Module | None = None
    for call in calls:
        module = call['self']
        names = {id(child): name for name, child in owner.named_modules()} if owner is not None else {}
        parts.append(names.get(id(module), ''))
        owner = module
    given = ', '.join(_shape(value) for value in calls[-1].get('args', ()))
    return Failed('.'.join(filter(None, parts)), type(owner).__name__, given)


def failed_dataset(error: BaseException) -> Failed | None:
    """Return the data set that could not load a sample, None if none was loading."""
    loading = [frame.f_locals.get('self') for frame in frames(error)]
    found = [owner for owner in loading if isinstance(owner, Dataset)]
    return Failed('', type(found[-1]).__name__) if found else None


def is_own(error: BaseException) -> bool:
    """Tell whether an error was raised by this package's own code, or by nobody, and not by a library."""
    # a tool is a module of its own
    return not frames(error) or package_of(error) in ('topkd', '__main__')


def package_of(error: BaseException) -> str:
    """Return the name of the package whose code raised an error."""
    names = [frame.f_globals.get('__name__', '') for frame in frames(error)]
    return names[-1].split('.')[0] if names else 'python'


def entries(node: Any, path: str = '') -> Iterator[tuple[str, Any]]:
    """Yield every dict and list of a config with its dotted name.

    Args:
        node (Any): A config, or a part of it; None yields nothing.
        path (str): Name of the part. Defaults to '', the config itself.
    """
    if isinstance(node, Config):
        node = node._cfg_dict
    if not isinstance(node, (dict, list, tuple)):
        return
    yield path, node
    items = dict.items(node) if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield from entries(value, f'{path}.{key}' if path else str(key))


def _place(component: Mapping, cfg: Config | None) -> str:
    """Find a component's config, or the part of it that the file said, in a whole config."""
    nodes = [(path, node) for path, node in entries(cfg) if isinstance(node, dict) and path]
    for path, node in nodes:
        if node is component:
            return path
    # components are built from copies, to which their owners add arguments
    for path, node in nodes:
        if 'type' in node and all(key in component and _same(key, component[key], node[key]) for key in node):
            return path
    return ''


def _same(key: Any, first: Any, second: Any) -> bool:
    if key == 'type' and isinstance(first, type) and isinstance(second, str):
        return first.__name__ == second.split('.')[-1]  # a class that was looked up already
    try:
        return bool(first == second)
    except Exception:  # arrays and tensors compare by element
        return False


def _arguments(given: Any) -> str:
    """Describe plain arguments; whole networks and loaders among them would tell nothing."""
    plain = (bool, int, float, str, list, tuple, type(None))
    named = [f'{key}={value!r}' for key, value in (given or {}).items() if isinstance(value, plain)]
    return ', '.join(text if len(text) < 80 else text[:80] for text in named[:8])


def _shape(value: Any) -> str:
    if isinstance(value, Tensor):
        return f'a tensor {tuple(value.shape)}'
    if isinstance(value, (tuple, list)) and value and all(isinstance(item, Tensor) for item in value):
        return f'tensors {", ".join(str(tuple(item.shape)) for item in value[:4])}'
    return f'a {type(value).__name__}'
