"""Find the operations of a step for which the host would wait for the device."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

# their results, or the shapes of these, are values that the host must know before it goes on
WAITING = frozenset(
    (
        '_local_scalar_dense',
        'is_nonzero',
        'equal',
        'nonzero',
        'masked_select',
        '_unique',
        '_unique2',
        'unique_dim',
        'unique_consecutive',
        'bincount',
        'repeat_interleave',
    )
)
INDEXING = frozenset(('index', 'index_put', 'index_put_', '_index_put_impl_'))


class Watch(TorchDispatchMode):
    """Note the operations inside the block that synchronize a GPU with the host, so that no graph can capture them.

    On a CPU the same operations are found, although nobody waits there.

    Attributes:
        found (list[str]): Their names, each once.

    Example:
        >>> with Watch() as watch:
        ...     value = torch.ones(3).sum().item()
        >>> watch.found
        ['_local_scalar_dense']
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Look at an operation, then run it."""
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if _waits(name, args, result) and name not in self.found:
            self.found.append(name)
        return result


def watched(function: Callable[[], Tensor]) -> tuple[Tensor, list[str]]:
    """Run a function, and return its result and the operations for which the host waits.

    Args:
        function (Callable): A step.

    Example:
        >>> watched(lambda: torch.ones(2).sum())
        (tensor(2.), [])
    """
    with Watch() as watch:
        result = function()
    return result, watch.found


def _waits(name: str, args: tuple, result: Any) -> bool:
    if name in WAITING:
        return True
    if name in INDEXING:
        chosen = [index for index in args[1] if index is not None]
        return any(index.dtype in (torch.bool, torch.uint8) for index in chosen)
    if name in ('_to_copy', 'copy_'):
        tensors = [value for value in (*args, result) if isinstance(value, Tensor)]
        return len({tensor.device.type for tensor in tensors}) > 1
    return False
