"""What captures a function of static tensors and replays it: CUDA graphs, or what stands in for them."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

Function = Callable[[], Tensor]


class GraphBackend(ABC):
    """Captures functions without arguments, whose tensors keep their places in memory.

    Example:
        >>> class Again(GraphBackend):
        ...     def aside(self, function):
        ...         return function()
        ...
        ...     def capture(self, function):
        ...         return function
        ...
        ...     def random_state(self):
        ...         return torch.get_rng_state()
        >>> Again().capture(lambda: torch.ones(()))()
        tensor(1.)
    """

    @abstractmethod
    def aside(self, function: Function) -> Tensor:
        """Run a function as it is, where a capture may follow.

        Args:
            function (Callable): A step.

        Returns:
            Tensor: What the function returned.
        """

    @abstractmethod
    def capture(self, function: Function) -> Function:
        """Record what a function does on the device, without an effect on its tensors.

        Args:
            function (Callable): A step that has run aside a few times.

        Returns:
            Callable: Does the same on the same tensors in every call, and returns what the function returned.

        Raises:
            RuntimeError: If the function does something that cannot be recorded.
        """

    @abstractmethod
    def random_state(self) -> Tensor:
        """Return the state of the generator that a step would draw from on this device."""


class CudaGraphs(GraphBackend):
    """Capture by ``torch.cuda.graph``; warm-up steps run on a stream of their own, as a capture asks for.

    Args:
        device (torch.device): The GPU.

    Example:
        >>> CudaGraphs(torch.device('cuda', 0)).device
        device(type='cuda', index=0)
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def aside(self, function: Function) -> Tensor:
        """Run a function on a side stream, between what was and what will be launched on the current one."""
        current, side = torch.cuda.current_stream(self.device), torch.cuda.Stream(self.device)
        side.wait_stream(current)
        with torch.cuda.stream(side):
            result = function()
        current.wait_stream(side)
        return result

    def capture(self, function: Function) -> Function:
        """Capture a function; see :meth:`GraphBackend.capture`."""
        graph = torch.cuda.CUDAGraph()
        # threads that pin batches for the next steps may go on meanwhile
        with torch.cuda.graph(graph, capture_error_mode='thread_local'):
            result = function()

        def replay() -> Tensor:
            graph.replay()
            return result

        return replay

    def random_state(self) -> Tensor:
        """Return the state of the GPU's generator."""
        return torch.cuda.get_rng_state(self.device)
