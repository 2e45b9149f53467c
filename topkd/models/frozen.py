"""A frozen network that belongs to no state dict, optimizer, average or wrapper of its owner."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from torch import nn

Network = TypeVar('Network', bound=nn.Module)


class Frozen(nn.Module, Generic[Network]):
    """Hold a network that runs in eval mode, moves with its parent and belongs to nobody's state.

    The network is kept in a tuple, out of reach of ``nn.Module`` registration. So it does not appear in the
    parent's ``state_dict``, checkpoints, optimizer, EMA copies, ``init_weights`` or DistributedDataParallel's
    buckets, all of which walk ``_modules``. Two things must still reach it and are forwarded by hand: moves between
    devices and dtypes (``_apply``), and the call itself.

    Args:
        module (nn.Module): The network. It is switched to eval mode and its parameters stop requiring gradients.
    """

    def __init__(self, module: Network) -> None:
        super().__init__()
        self._held: tuple[Network] = (module.eval().requires_grad_(False),)
        self.training = False

    @property
    def module(self) -> Network:
        """nn.Module: The held network."""
        return self._held[0]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the held network."""
        return self.module(*args, **kwargs)

    def train(self, mode: bool = True) -> 'Frozen':
        """Stay in eval mode, whatever the parent does."""
        return self

    def _apply(self, fn: Callable, recurse: bool = True) -> 'Frozen':
        # what .to(), .cuda(), .half() and their kin call on every submodule
        super()._apply(fn, recurse)
        self.module._apply(fn, recurse)
        return self

    def __deepcopy__(self, memo: dict) -> 'Frozen':
        # an EMA copy of the parent shares the frozen network instead of holding a second one
        return self
