"""The grammar of taps, and the modules, inputs and parameters that they name in a network."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import NamedTuple

from torch import nn

STEP = re.compile(r'([\w-]+)|\[(-?\d+)\]')
TAP = re.compile(
    r'(?P<path>[\w-]+(?:\.[\w-]+|\[-?\d+\])*)(?:\((?P<argument>\d+)\)(?P<inside>(?:\[-?\d+\])*))?'
    r'(?P<last>:last)?(?::(?P<view>\w+))?'
)


class TapError(Exception):
    """Base of all errors about taps; each of them is a ValueError, a KeyError or a TypeError too.

    Args:
        message (str): One sentence.
        tap (str): The tap. Defaults to ''.
    """

    def __init__(self, message: str, tap: str = '') -> None:
        super().__init__(message, tap)
        self.message, self.tap = message, tap

    def __str__(self) -> str:
        return self.message  # a KeyError would put it in quotation marks


class WrongTapError(TapError, ValueError):
    """A tap that is not written as one, or that a forward does not let be read."""


class UnknownTapError(TapError, KeyError):
    """A tap that names no module."""


class TapOutputError(TapError, TypeError):
    """A tap whose module hands over something else than is tapped."""


class Place(NamedTuple):
    """What a tap names.

    Attributes:
        module (nn.Module): The module that is read.
        part (str): 'output', 'input' or 'weights'.
        indices (tuple[int, ...]): Which of its outputs, and of tuples inside them; of an input, its position first.
        parameter (str): Name of the parameter, for 'weights'.
        view (str): What is made of the tensor, see :mod:`topkd.models.taps.tap_views`; '' for the tensor itself.
        last (bool): Whether the module may run several times, the last of which counts.
    """

    module: nn.Module
    part: str
    indices: tuple[int, ...] = ()
    parameter: str = ''
    view: str = ''
    last: bool = False


def parse_tap(path: str) -> tuple[str, int]:
    """Split a tap into the module's path and the index of its output.

    Args:
        path (str): ``'backbone.layer1'``, or ``'neck[0]'`` for output number 0 of a module that returns several, or
            ``'bbox_head[0][2]'`` for number 2 of the list that is output number 0.

    Returns:
        tuple: (module path, index), the index being the last one, -1 where the tap has none.

    Raises:
        ValueError: If it is no tap.

    Example:
        >>> parse_tap('neck[0]'), parse_tap('bbox_head[0][2]'), parse_tap('backbone.layers[3].ln1')
        (('neck', 0), ('bbox_head', 2), ('backbone.layers[3].ln1', -1))
    """
    match = _matched(path)
    inner = re.fullmatch(r'(.*?)((?:\[\d+\])+)', match['path'])
    return (match['path'], -1) if inner is None else (inner[1], int(inner[2][1:-1].split('][')[-1]))


def first_name(tap: str) -> str:
    """Return the name of the network's own part that a tap lies in.

    Example:
        >>> first_name('neck[0]'), first_name('backbone.layer1.-1.relu(0)')
        ('neck', 'backbone')
    """
    return re.split(r'[.\[(:]', tap)[0]


def locate(model: nn.Module, tap: str) -> Place:
    """Find what a tap names in a network.

    ``layers[11]`` is the child of a ``ModuleList`` as ``layers.11`` is, and so it is of any module if a name follows;
    otherwise ``[11]`` is one of the outputs of the module before it.

    Args:
        model (nn.Module): The network.
        tap (str): See :func:`topkd.models.taps.tap.tap`.

    Raises:
        WrongTapError: If it is no tap.
        UnknownTapError: If there is no such module; the message lists the names at the level that failed, and what is
            spelled alike.

    Example:
        >>> network = nn.Sequential(nn.ModuleList([nn.Identity()]), nn.Linear(2, 3))
        >>> locate(network, '0[0]').module, locate(network, '1[0]').indices, locate(network, '1.bias').part
        (Identity(), (0,), 'weights')
    """
    match = _matched(tap)
    steps, view, last = STEP.findall(match['path']), match['view'] or '', match['last'] is not None
    module = model
    for number, (name, index) in enumerate(steps):
        rest = steps[number:]
        named = match['argument'] is not None or any(word for word, _ in rest)
        if index and not named and not isinstance(module, nn.ModuleList):
            return Place(module, 'output', tuple(int(position) for _, position in rest), view=view, last=last)
        if len(rest) == 1 and match['argument'] is None and module._parameters.get(name) is not None:
            return Place(module, 'weights', parameter=name, view=view)
        module = _child(model, module, name or index, tap)
    if match['argument'] is None:
        return Place(module, 'output', view=view, last=last)
    inside = tuple(int(position) for position in re.findall(r'-?\d+', match['inside']))
    return Place(module, 'input', (int(match['argument']), *inside), view=view, last=last)


def find_module(model: nn.Module, path: str) -> nn.Module:
    """Return the submodule at a dotted path, in which '-1' is the last child of a module, '-2' the one before it.

    Raises:
        KeyError: If no such module exists; the message lists the names at the level that failed.

    Example:
        >>> find_module(nn.Sequential(nn.Identity(), nn.Linear(2, 3)), '-1')
        Linear(in_features=2, out_features=3, bias=True)
    """
    module = model
    for name, index in STEP.findall(path):
        module = _child(model, module, name or index, path)
    return module


@contextmanager
def whose(network: str) -> Iterator[None]:
    """Let errors about taps in the block say whose network it is.

    Args:
        network (str): Such as 'student' or 'teacher'.
    """
    try:
        yield
    except TapError as error:
        raise type(error)(f'{network}: {error}', error.tap) from error


def _matched(tap: str) -> re.Match[str]:
    match = TAP.fullmatch(tap)
    if match is None:
        raise WrongTapError(
            f"a tap is a module path such as 'backbone.layer1' or 'neck[0]', got '{tap}': correct it in the config", tap
        )
    return match


def _child(model: nn.Module, module: nn.Module, name: str, tap: str) -> nn.Module:
    children = dict(module.named_children())
    if re.fullmatch(r'-[1-9]\d*', name) and int(name[1:]) <= len(children):
        name = list(children)[int(name)]
    if name not in children:
        raise UnknownTapError(
            f"tap '{tap}': {type(module).__name__} has no module '{name}'; it has: {', '.join(children) or 'none'}"
            f'{_instead(model, module, name, tap)}',
            tap,
        )
    return children[name]


def _instead(model: nn.Module, module: nn.Module, name: str, tap: str) -> str:
    """Say which tap may have been meant."""
    if name.isdigit() and not list(module.children()) and tap.endswith(f'.{name}'):
        return f"; if it returns several tensors, number {name} is '{tap[: -len(name) - 1]}[{name}]'"
    paths = [path for path, _ in model.named_modules() if path]
    last = tap.rsplit('.', 1)[-1]
    near = (
        get_close_matches(tap, paths, n=3, cutoff=0.75)
        or [path for path in paths if path.rsplit('.', 1)[-1] == last][:3]
    )
    quoted = [f"'{path}'" for path in near]
    return f'; did you mean {" or ".join(quoted)}?' if quoted else ''
