"""Mixed precision in bfloat16, on any device."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from topkd.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """Run the networks of a training in bfloat16 where autocast finds it safe; weights and losses stay in float32.

    bfloat16 has the range of float32, so that gradients need no scaler. MMEngine's ``AmpOptimWrapper`` brings one, and
    needs a GPU. On a CPU bfloat16 pays if the processor has instructions for it (AVX512_BF16, AMX) and is slower than
    float32 if it has not. ``tools/train.py --amp`` chooses this wrapper on a CPU.

    Example:
        >>> network = nn.Linear(2, 1)
        >>> wrapper = Bfloat16OptimWrapper(torch.optim.SGD(network.parameters(), lr=0.1))
        >>> with wrapper.optim_context(network):
        ...     output = network(torch.ones(3, 2))
        >>> output.dtype, network.weight.dtype
        (torch.bfloat16, torch.float32)
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Run a forward pass in bfloat16.

        Args:
            model (nn.Module): Of the training.
        """
        device = self.param_groups[0]['params'][0].device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16):
            yield
