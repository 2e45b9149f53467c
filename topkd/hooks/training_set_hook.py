"""A hook that tells the losses which training set they work on."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from topkd.models.losses.distillation_loss import prepare_losses
from topkd.registry import HOOKS


@HOOKS.register_module()
class TrainingSetHook(Hook):
    """Call ``prepare(dataset)`` of every loss before the training starts, or goes on.

    ``tools/train.py`` adds this hook to every training.
    """

    def before_train(self, runner: Runner) -> None:
        """Hand the training set over."""
        prepare_losses(runner.model, runner.train_dataloader.dataset)
