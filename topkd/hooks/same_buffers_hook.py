"""All processes validate the network that the first one saves."""

from mmengine.dist import broadcast, get_world_size
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from topkd.registry import HOOKS


@HOOKS.register_module()
class SameBuffersHook(Hook):
    """Hand the first process's buffers to all others before a validation.

    Every process normalizes by its own share of a batch, so the running statistics of BatchNorm differ; only the first
    process's are in a checkpoint. Without this hook the others would measure networks that nobody has afterwards.
    ``tools/train.py`` adds this hook to every training.
    """

    priority = 'LOWEST'  # after EMAHook has put its weights in

    def before_val_epoch(self, runner: Runner) -> None:
        """Send them."""
        if get_world_size() == 1:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        for buffer in model.buffers():
            broadcast(buffer)
