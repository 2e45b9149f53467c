"""What can be tapped in a network: modules, shapes of their outputs, and why some cannot be."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from torch import Tensor, nn

from topkd.models.taps.recording import ModuleCall, recorded, whole_forward
from topkd.models.taps.tap_paths import TapError


class Tappable(NamedTuple):
    """A module, or one of the tensors that it returns.

    Attributes:
        tap (str): What a loss writes as its tap.
        kind (str): Class of the module.
        shape (tuple[int, ...] | None): Of the tensor, None if the forward made none.
        problem (str): Why it cannot be tapped; '' if it can.
    """

    tap: str
    kind: str
    shape: tuple[int, ...] | None
    problem: str = ''

    @property
    def depth(self) -> int:
        """int: Number of names in the path."""
        return self.tap.count('.') + 1


def tappable(network: nn.Module, image: Tensor, data_samples: list | None = None) -> list[Tappable]:
    """Run a network on an image and list what can be tapped, in the order in which the modules are registered.

    Args:
        network (nn.Module): A classifier or detector in the MMEngine style.
        image (Tensor): (1, 3, H, W) as the network expects it.
        data_samples (list, optional): What a two-stage detector must know of the image.

    Returns:
        list[Tappable]: One for every tensor that a module returns, one for every module that returns none.
    """
    calls, _ = recorded(network, whole_forward(network, image, data_samples))
    by_path: dict[str, list[ModuleCall]] = {}
    for call in calls:
        by_path.setdefault(call.path, []).append(call)
    return [
        entry
        for path, module in network.named_modules()
        if path and (path in by_path or not isinstance(module, (nn.ModuleList, nn.ModuleDict)))  # lists never run
        for entry in _entries(path, module, by_path.get(path, []))
    ]


def nearest(found: Sequence[Tappable], tap: str, limit: int = 12) -> list[Tappable]:
    """Choose what to list for a user whose tap was wrong: what stands beside it, then what is least deep.

    Args:
        found (Sequence[Tappable]): Of :func:`tappable`.
        tap (str): The tap that failed.
        limit (int): Most entries. Defaults to 12.
    """
    good = [entry for entry in found if not entry.problem]
    parent = tap.split('(')[0].split('[')[0]
    while parent and not any(entry.tap.startswith(f'{parent}.') or entry.tap == parent for entry in good):
        parent = parent.rpartition('.')[0]
    beside = [entry for entry in good if entry.tap.startswith(parent)] if parent else good
    depth = min((entry.depth for entry in beside), default=1)
    return sorted(beside, key=lambda entry: max(entry.depth - depth - 1, 0))[:limit]


@contextmanager
def explained(role: str, network: nn.Module, image: Tensor) -> Iterator[None]:
    """Let errors about taps in the block say whose network it is, and what can be tapped there.

    Args:
        role (str): 'student' or 'teacher'.
        network (nn.Module): The network.
        image (Tensor): (1, 3, H, W), on which it is run to learn the shapes.
    """
    try:
        yield
    except TapError as error:
        raise type(error)(f'{role}: {error}{_listing(network, image, error.tap)}', error.tap) from error


def _listing(network: nn.Module, image: Tensor, tap: str) -> str:
    try:
        found = tappable(network, image)
    except Exception:  # a detector that needs more than an image; the error about the tap stands for itself
        return ' (topkd taps CONFIG lists what can be tapped)'
    words = ', '.join(f'{entry.tap} {entry.shape}' for entry in nearest(found, tap))
    return f' (can be tapped: {words}; topkd taps CONFIG lists all)' if words else ''


def _entries(path: str, module: nn.Module, calls: Sequence[ModuleCall]) -> list[Tappable]:
    kind = type(module).__name__
    if not calls:
        return [Tappable(path, kind, None, 'not run')]
    first = calls[0]
    if not first.outputs:
        return [Tappable(path, kind, None, 'returns no tensor')]
    many = f'runs {len(calls)} times' if len(calls) > 1 else ''
    return [
        Tappable(path + suffix, kind, tuple(tensor.shape), many or ('overwritten in place' * first.overwritten(suffix)))
        for suffix, tensor in first.outputs.items()
    ]
