"""The validation that a kill cost is made up for when the training is resumed."""

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, Runner

from topkd.registry import HOOKS


@HOOKS.register_module()
class ResumedValidationHook(Hook):
    """Validate the checkpoint that a training goes on from, if a validation was due there.

    A checkpoint is saved before its own validation, so whatever followed, that validation is not in it: neither its
    figures nor whether it was the best. ``tools/train.py`` adds this hook to every training.
    """

    priority = 'LOWEST'  # after the hooks that a validation needs are ready

    def before_train(self, runner: Runner) -> None:
        """Run the validation."""
        if runner.iter > 0 and runner.val_loop is not None and _validation_is_due(runner.train_loop):
            runner.val_loop.run()


def _validation_is_due(loop: BaseLoop) -> bool:
    """Tell whether a training loop validates at the point where it stands."""
    loop._decide_current_val_interval()  # which a loop does after a step, but not when it is resumed
    by_epoch = isinstance(loop, EpochBasedTrainLoop)
    done, last = (loop.epoch, loop.max_epochs) if by_epoch else (loop.iter, loop.max_iters)
    return done >= loop.val_begin and (done % loop.val_interval == 0 or done == last)
