"""The taps of a network that nobody has listed, found by running it once and looking at what its modules return."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from torch import Tensor, nn

from topkd.models.taps.recording import ModuleCall, recorded, whole_forward
from topkd.models.taps.stage_taps import StageTaps
from topkd.models.taps.tap_paths import WrongTapError
from topkd.models.taps.tap_views import MOST_EXTRA

STAGES = 4  # a transformer of equal blocks is cut into so many
GLOBAL = 4  # a map that shrinks to less than a fourth of its height at once was pooled globally


class Unit(NamedTuple):
    """A part of the trunk and the map or the tokens that it returns.

    Attributes:
        tap (str): With the view that makes a map (N, C, H, W) of it.
        path (str): Of the module.
        size (tuple[int, int]): Height and width of the map.
        readable (bool): Whether nothing overwrites it in place.
    """

    tap: str
    path: str
    size: tuple[int, int]
    readable: bool = True


def found_taps(network: nn.Module, image: Tensor) -> StageTaps:
    """Find stem, stages, the classifier's input and its output by one forward.

    The classifier is the layer whose output are the logits, or the first linear layer with as many outputs. The trunk
    is followed into every part that changes the size of the map more than once; a stage ends where the size changes.
    Blocks of a transformer that all keep the size are cut into four stages. Tokens are tapped as maps.

    Args:
        network (nn.Module): A classifier in the MMEngine style.
        image (Tensor): (1, 3, H, W) with H = W, as the network expects it.

    Returns:
        StageTaps: Without pre-activations and their normalizations, which differ from family to family.

    Raises:
        ValueError: If the network makes no logits (N, K), no linear layer makes them, or nothing looks like a map.
    """
    calls, logits = recorded(network, whole_forward(network, image))
    if not isinstance(logits, Tensor) or logits.ndim != 2:
        raise WrongTapError(
            f'the stages of a {type(network).__name__} cannot be found, as it returns no logits (N, K): name the taps '
            'in the loss config; topkd taps CONFIG lists them'
        )
    pooled, where = _classifier(calls, logits)
    units = _stages(network, calls)
    if not units:
        raise WrongTapError(
            f'no module of {type(network).__name__} returns maps or tokens: name the taps in the loss config; '
            'topkd taps CONFIG lists them'
        )
    stem, *maps = units if len(units) > 1 else units * 2
    return StageTaps(stem.tap, tuple(unit.tap for unit in maps), None, maps[-1].tap, pooled, where)


def _classifier(calls: Sequence[ModuleCall], logits: Tensor) -> tuple[str, str]:
    """Return the taps of the classifier's input and of the logits."""
    makers = [(call, suffix) for call in calls for suffix, tensor in call.outputs.items() if tensor is logits]
    linear = [call for call in calls if isinstance(call.module, nn.Linear)]
    readers = [call for call, _ in makers if call in linear]
    readers += [call for call in linear if call.outputs[''].shape == logits.shape]
    where = next((call.path + suffix for call, suffix in makers if call.path), None)
    if not readers or where is None:
        raise WrongTapError(
            f'no linear layer makes the {logits.shape[1]} logits: name the taps in the loss config; topkd taps CONFIG '
            'lists them'
        )
    return f'{readers[0].path}(0)', where


def _stages(network: nn.Module, calls: Sequence[ModuleCall]) -> list[Unit]:
    """Return the stem, and the last unit of every size from shallow to deep."""
    units = _trunk(network, calls)
    by_size: dict[tuple[int, int], list[Unit]] = {}
    for unit in units:
        by_size.setdefault(unit.size, []).append(unit)
    # poolings and normalizations alone are no stage: the layers after them are, or the classifier
    groups = _until_pooled([group for group in by_size.values() if any(_has_matrix(network, unit) for unit in group)])
    groups = [readable for group in groups if (readable := [unit for unit in group if unit.readable])]
    if len(groups) < 2 or _keeps_size(units):
        return _cut(network, calls, [unit for unit in units if unit.readable])
    ends = [group[-1] for group in groups]
    if len(ends) > STAGES or len(groups[0]) == 1:
        return ends
    return [groups[0][0], *ends]


def _has_matrix(network: nn.Module, unit: Unit) -> bool:
    """Tell whether a unit has weights that mix channels: of a convolution, a linear layer or an attention."""
    return any(parameter.ndim > 1 for parameter in network.get_submodule(unit.path).parameters())


def _until_pooled(groups: list[list[Unit]]) -> list[list[Unit]]:
    """Leave out what comes after a global pooling: layers of the classifier that are written as convolutions."""
    for number in range(1, len(groups)):
        if groups[number][0].size[0] * GLOBAL < groups[number - 1][0].size[0]:
            return groups[:number]
    return groups


def _keeps_size(units: Sequence[Unit]) -> bool:
    """Tell whether all units but the first have one size, as the blocks of a plain transformer do."""
    return len({unit.size for unit in units[1:]}) == 1 and len(units) > 2


def _cut(network: nn.Module, calls: Sequence[ModuleCall], units: Sequence[Unit]) -> list[Unit]:
    """Cut equal blocks into stages; what comes before them is the stem."""
    blocks = _blocks(network, {unit.path: unit for unit in _all_units(calls)})
    if not blocks:
        return list(units)
    before = [unit for unit in units if unit.path.rpartition('.')[0] != blocks[0].path.rpartition('.')[0]]
    ends = [math.ceil(len(blocks) * number / STAGES) - 1 for number in range(1, STAGES + 1)]
    return [before[0] if before else blocks[0], *(blocks[end] for end in dict.fromkeys(ends))]


def _blocks(network: nn.Module, units: dict[str, Unit]) -> list[Unit]:
    """Return the longest row of children of one class in one module that all return maps or tokens of one size."""
    best: list[Unit] = []
    for path, module in network.named_modules():
        named = [(f'{path}.{name}'.lstrip('.'), child) for name, child in module.named_children()]
        row = [
            units[name]
            for name, child in named
            if name in units and units[name].readable and type(child) is type(named[-1][1])
        ]
        if len(row) > len(best) and len({unit.size for unit in row}) == 1:
            best = row
    return best


def _trunk(network: nn.Module, calls: Sequence[ModuleCall]) -> list[Unit]:
    """Return the parts of the trunk in the order in which they ran."""
    order = {call.path: number for number, call in enumerate(calls)}
    known = {unit.path: unit for unit in _all_units(calls)}
    units = list(_parts(network, '', known))
    while len(units) == 1 or any(_changes(unit, network, known) > 1 for unit in units):
        deeper = [part for unit in units for part in _opened(unit, network, known, len(units) == 1)]
        if deeper == units:
            break
        units = deeper
    return sorted(units, key=lambda unit: order[unit.path])


def _opened(unit: Unit, network: nn.Module, known: dict[str, Unit], alone: bool) -> list[Unit]:
    if not alone and _changes(unit, network, known) < 2:
        return [unit]
    return list(_parts(network.get_submodule(unit.path), unit.path, known)) or [unit]


def _changes(unit: Unit, network: nn.Module, known: dict[str, Unit]) -> int:
    """Return how often the size changes among the parts of a unit."""
    sizes = {part.size for part in _parts(network.get_submodule(unit.path), unit.path, known)}
    return len(sizes) - 1


def _parts(module: nn.Module, path: str, known: dict[str, Unit]) -> Iterator[Unit]:
    """Yield the children that return maps or tokens, and in place of others theirs."""
    for name, child in module.named_children():
        place = f'{path}.{name}'.lstrip('.')
        if place in known:
            yield known[place]
        else:
            yield from _parts(child, place, known)


def _all_units(calls: Sequence[ModuleCall]) -> list[Unit]:
    counts: dict[str, int] = {}
    for call in calls:
        counts[call.path] = counts.get(call.path, 0) + 1
    found = (_unit(call) for call in calls if call.path and counts[call.path] == 1)
    return [unit for unit in found if unit is not None]


def _unit(call: ModuleCall) -> Unit | None:
    """Read the first tensor that a module returns as a map."""
    if isinstance(call.module, nn.Identity):  # what it returns has the name of what made it
        return None
    for suffix, tensor in call.outputs.items():
        tap, shape, readable = call.path + suffix, tuple(tensor.shape), not call.overwritten(suffix)
        if tensor.ndim == 4 and shape[1] == shape[2] != shape[3]:
            return Unit(f'{tap}:nhwc', call.path, (shape[1], shape[2]), readable)
        if tensor.ndim == 4:
            return Unit(tap, call.path, (shape[2], shape[3]), readable)
        if tensor.ndim == 3 and shape[2] > 1:
            side = math.isqrt(shape[1])
            return Unit(f'{tap}:map', call.path, (side, side), readable) if shape[1] - side**2 <= MOST_EXTRA else None
    return None
