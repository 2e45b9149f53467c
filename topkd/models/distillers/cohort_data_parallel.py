"""A cohort in several processes: gradients are averaged, and a member that diverges in one stops in all."""

from typing import Any

import torch.distributed as dist
from torch import nn

from topkd.models.distillers.cohort import Cohort
from topkd.registry import MODEL_WRAPPERS


@MODEL_WRAPPERS.register_module()
class CohortDataParallel(nn.Module):
    """Let every process train the same cohort on its own part of a batch.

    DistributedDataParallel runs one forward and one backward a step, but a cohort has one of each a member. Its own
    ``train_step`` averages the gradients of all processes, member by member; this wrapper only makes the processes
    start from the same weights, and passes calls on.

    Args:
        module (Cohort): On its device already.
    """

    def __init__(self, module: Cohort) -> None:
        super().__init__()
        self.module = module
        for tensor in module.state_dict().values():
            dist.broadcast(tensor, 0)

    def train_step(self, *args: Any, **kwargs: Any) -> Any:
        """Call the cohort's."""
        return self.module.train_step(*args, **kwargs)

    def val_step(self, *args: Any, **kwargs: Any) -> Any:
        """Call the cohort's."""
        return self.module.val_step(*args, **kwargs)

    def test_step(self, *args: Any, **kwargs: Any) -> Any:
        """Call the cohort's."""
        return self.module.test_step(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the cohort's."""
        return self.module(*args, **kwargs)
