"""A hook that seeds every training step by its number, whatever was drawn before."""

from typing import Any

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner

from topkd.registry import HOOKS
from topkd.utils.seed import seed_everything

EPOCH, STEP = 0, 1  # so that the first step of an epoch draws other numbers than its data loader


@HOOKS.register_module()
class StepSeedHook(Hook):
    """Seed Python, NumPy and PyTorch before every epoch and step, from the training's seed, the step and the rank.

    Augmentation and dropout of a step are then the same whether or not the training was killed and resumed before it,
    and whatever other students learn beside this one. Samples are seeded one by one, wherever they are loaded, see
    :class:`topkd.datasets.SeededDataset`. ``tools/train.py`` adds both to every training.
    """

    priority = 'VERY_HIGH'

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed what the data loader draws."""
        seed_everything(runner.seed, EPOCH, runner.epoch, get_rank())

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Seed what the data preprocessor and the model draw."""
        seed_everything(runner.seed, STEP, runner.iter, get_rank())
