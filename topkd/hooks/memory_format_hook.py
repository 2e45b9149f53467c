"""The memory format that students are trained in."""

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.runner import Runner
from torch import nn

from topkd.optim import Bfloat16OptimWrapper
from topkd.registry import HOOKS

FORMATS = {'contiguous': torch.contiguous_format, 'channels_last': torch.channels_last}


@HOOKS.register_module()
class MemoryFormatHook(Hook):
    """Lay out the weights of convolutions, and with them all feature maps, in one memory format.

    On a CPU, and on a GPU in half precision, convolutions are faster in ``channels_last``. The rule asks neither the
    clock nor the model, so that a member of a cohort, its single run and its plain baseline are computed alike; results
    of both formats differ by rounding. Models that MMEngine has wrapped for several processes are left as they are.
    ``tools/train.py`` adds this hook to every training.

    Args:
        memory_format (str): 'contiguous', 'channels_last', or 'auto', which is 'channels_last' on a CPU or with AMP.
            Defaults to 'auto'.

    Raises:
        ValueError: If there is no such memory format.

    Examples:
        >>> MemoryFormatHook('fast')
        Traceback (most recent call last):
        ...
        ValueError: memory_format must be 'auto', 'contiguous' or 'channels_last', got 'fast': correct the hook
    """

    def __init__(self, memory_format: str = 'auto') -> None:
        if memory_format not in ('auto', *FORMATS):
            raise ValueError(
                f"memory_format must be 'auto', 'contiguous' or 'channels_last', got '{memory_format}': "
                'correct the hook'
            )
        self.memory_format = memory_format

    def before_train(self, runner: Runner) -> None:
        """Lay out the weights; a checkpoint that is resumed has been loaded already."""
        if not is_model_wrapper(runner.model):
            runner.model.to(memory_format=FORMATS[self._chosen(runner)])

    def _chosen(self, runner: Runner) -> str:
        if self.memory_format != 'auto':
            return self.memory_format
        return faster_format(runner.model, runner.optim_wrapper)


def faster_format(model: nn.Module, wrapper: OptimWrapper | None) -> str:
    """Return the memory format that 'auto' stands for.

    Args:
        model (nn.Module): On its device.
        wrapper (OptimWrapper, optional): Of its training.

    Example:
        >>> faster_format(nn.Linear(2, 1), None)
        'channels_last'
    """
    on_cpu = next(model.parameters()).device.type == 'cpu'
    return 'channels_last' if on_cpu or isinstance(wrapper, (AmpOptimWrapper, Bfloat16OptimWrapper)) else 'contiguous'
