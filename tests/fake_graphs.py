"""A stand-in for CUDA graphs on a machine without a GPU."""

from collections.abc import Callable

import torch
from torch import Tensor

from topkd.graphs import GraphBackend


class FakeGraphs(GraphBackend):
    """Replay by calling the captured function again, which a graph would do without Python.

    Attributes:
        seen (list[str]): What was asked for, in order.
        refusal (str): Why a capture fails; '' if it does not.
    """

    def __init__(self, refusal: str = '') -> None:
        self.seen: list[str] = []
        self.refusal = refusal

    def aside(self, function: Callable[[], Tensor]) -> Tensor:
        self.seen.append('aside')
        return function()

    def capture(self, function: Callable[[], Tensor]) -> Callable[[], Tensor]:
        self.seen.append('capture')
        if self.refusal:
            raise RuntimeError(self.refusal)

        def replay() -> Tensor:
            self.seen.append('replay')
            return function()

        return replay

    def random_state(self) -> Tensor:
        return torch.get_rng_state()
