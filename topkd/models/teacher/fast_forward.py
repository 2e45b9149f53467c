"""The fast copy of a frozen network: batch normalizations folded, the faster memory format, compiled if asked."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from topkd.models.taps.tap import reach
from topkd.models.teacher.batch_norm_folding import fold_batch_norms, shared_copy, without_hooks
from topkd.utils.remembered import least_seconds, remembered, speed_of

FORMATS = {'contiguous': torch.contiguous_format, 'channels_last': torch.channels_last}


class ForwardOptions(NamedTuple):
    """How a frozen network runs.

    Attributes:
        fold (bool): Whether batch normalizations are folded into convolutions.
        memory_format (str): 'contiguous', 'channels_last', or 'auto': what is faster on this machine.
        compile (bool | str): Whether torch.compile is applied; a word names its backend.
    """

    fold: bool = True
    memory_format: str = 'auto'
    compile: bool | str = False

    def checked(self) -> 'ForwardOptions':
        """Return the options.

        Raises:
            ValueError: If there is no such memory format.
        """
        if self.memory_format not in ('auto', *FORMATS):
            raise ValueError(
                f"teacher.memory_format must be 'auto', 'contiguous' or 'channels_last', got '{self.memory_format}'"
            )
        return self


class FastForward:
    """Run a frozen network in less time, with the same features up to rounding.

    What runs is a copy that shares all tensors but the weights of convolutions, and all hooks, with the network, which
    is left as it is. The copy is made in the first call, for the device of its images, and anew if a tap reads what was
    folded away; one log line says what was done.

    Args:
        network (nn.Module): In eval mode.
        options (ForwardOptions): What to do.
        name (str): Of the network, for the log. Defaults to 'teacher'.
    """

    def __init__(self, network: nn.Module, options: ForwardOptions, name: str = 'teacher') -> None:
        self.original, self.options, self.name = network, options, name
        self.taps: list[str] = []
        self.moved()

    def moved(self) -> None:
        """Make another copy in the next call, because the network is on another device or of another type now."""
        self.network: nn.Module = self.original
        self._ready = False
        self.memory_format = 'contiguous'
        self._compiled: dict[tuple, Callable] = {}

    def __call__(self, inputs: Tensor, taps: Sequence[str]) -> dict[str, Tensor]:
        """Return the features at the taps, without graph, contiguous.

        Args:
            inputs (Tensor): Images (N, 3, H, W).
            taps (Sequence[str]): See :func:`topkd.models.taps.tap.tap`.
        """
        if not self._ready or not set(taps) <= set(self.taps):
            self._prepare(inputs, taps)
        with torch.inference_mode(not self.options.compile), torch.no_grad():
            features = self._run(inputs.contiguous(memory_format=FORMATS[self.memory_format]), taps)
        # copies, because a tensor made in inference mode cannot be saved for a backward pass
        return {path: features.pop(path).clone(memory_format=torch.contiguous_format) for path in list(features)}

    def _run(self, inputs: Tensor, taps: Sequence[str]) -> dict[str, Tensor]:
        if not self.options.compile:
            return reach(self.network, inputs, taps)
        key = (tuple(inputs.shape), *taps)
        if key not in self._compiled:
            self._compiled[key] = compiled(lambda x: reach(self.network, x, taps), inputs, self.options.compile)
        return self._compiled[key](inputs)

    def _prepare(self, inputs: Tensor, taps: Sequence[str]) -> None:
        self.moved()
        self.taps = list(dict.fromkeys([*self.taps, *taps]))
        self.network = shared_copy(self.original)
        folded = self._fold(inputs) if self.options.fold else 0
        self._arrange(self._chosen_format(inputs))
        self._ready = True
        print_log(
            f"teacher '{self.name}': {folded} batch normalizations folded into convolutions, {self.memory_format}"
            f'{", compiled" if self.options.compile else ""}',
            'current',
        )

    def _fold(self, inputs: Tensor) -> int:
        image = inputs[:1].to(next(self.network.parameters(), inputs).dtype)
        with torch.autocast(inputs.device.type, enabled=False):
            return fold_batch_norms(self.network, image, self.taps)

    def _arrange(self, memory_format: str) -> None:
        self.memory_format = memory_format
        self.network.to(memory_format=FORMATS[memory_format])

    def _chosen_format(self, inputs: Tensor) -> str:
        if self.options.memory_format != 'auto':
            return self.options.memory_format
        shapes = [tuple(weight.shape) for weight in self.network.parameters() if weight.ndim == 4]
        half = torch.is_autocast_enabled(inputs.device.type)
        key = f'forward {shapes} {speed_of(inputs.device)} {torch.__version__} half={half}'
        return remembered(key, lambda: self._faster_format(inputs), default='channels_last')

    @torch.no_grad()
    def _faster_format(self, inputs: Tensor) -> str:
        seconds = {}
        with without_hooks(self.network):
            for memory_format, layout in FORMATS.items():
                self._arrange(memory_format)
                arranged = inputs.contiguous(memory_format=layout)
                seconds[memory_format] = least_seconds(lambda: reach(self.network, arranged, self.taps), inputs.device)
        return min(seconds, key=seconds.__getitem__)


def compiled(function: Callable, inputs: Tensor, backend: bool | str) -> Callable:
    """Compile a function of images for one shape of them.

    The function is traced to a graph of tensor operations first, in which the taps are outputs like any other: no hook
    is left that a compiler would have to follow.

    Args:
        function (Callable): Images to tensors by name.
        inputs (Tensor): Images (N, 3, H, W) of that shape.
        backend (bool | str): Of torch.compile; True is its default.
    """
    from torch.fx.experimental.proxy_tensor import make_fx

    graph = make_fx(function)(inputs)
    return torch.compile(graph, backend=backend if isinstance(backend, str) else 'inductor')
