"""BatchNorm that normalizes by the statistics of the batch at hand, as in the authors' code where it made clouds."""

from typing import Any

from torch import nn


class batch_statistics:
    """Let BatchNorm normalize by the batch inside a ``with`` block, without touching its running statistics.

    Args:
        model (nn.Module): The network.
        enabled (bool): Whether to do anything.
    """

    def __init__(self, model: nn.Module, enabled: bool) -> None:
        norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
        self.norms = [norm for norm in norms if norm.track_running_stats] if enabled else []

    def __enter__(self) -> None:
        self.momenta = [norm.momentum for norm in self.norms]
        for norm in self.norms:
            norm.train()
            norm.momentum = 0.0

    def __exit__(self, *exception: Any) -> None:
        for norm, momentum in zip(self.norms, self.momenta):
            norm.eval()
            norm.momentum = momentum
