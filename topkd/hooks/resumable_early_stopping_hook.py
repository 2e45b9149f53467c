"""Early stopping that keeps its state in checkpoints, so that a resumed run ends as an uninterrupted one."""

from typing import Any

from mmengine.hooks import EarlyStoppingHook
from mmengine.runner import Runner

from topkd.registry import HOOKS
from topkd.utils.whole_file_backend import use_whole_files


@HOOKS.register_module()
class ResumableEarlyStoppingHook(EarlyStoppingHook):
    """Keep the counter and the best score of early stopping in a checkpoint written after every validation.

    MMEngine's hook forgets both, and its checkpoint hook saves before the validation, whose result would be lost.

    Args:
        filename (str): Checkpoint in the work directory to resume from. Defaults to 'resume.pth'.
        interval (int): Validations between two checkpoints. Defaults to 1.
        **kwargs (Any): Arguments of :class:`mmengine.hooks.EarlyStoppingHook`.
    """

    priority = 'LOWEST'
    wait_count: int
    best_score: float

    def __init__(self, filename: str = 'resume.pth', interval: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        use_whole_files()
        self.filename = filename
        self.interval = interval
        self._validations = 0

    def before_train(self, runner: Runner) -> None:
        """Do not go on with a run that had stopped before it was killed."""
        if self.wait_count >= self.patience:
            runner.train_loop.stop_training = True

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Count, then save what a resumed run needs."""
        super().after_val_epoch(runner, metrics)
        self._validations += 1
        if self._validations % self.interval == 0 or runner.train_loop.stop_training:
            meta = dict(epoch=runner.epoch, iter=runner.iter)
            runner.save_checkpoint(runner.work_dir, self.filename, meta=meta, by_epoch=True)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the state of early stopping to a checkpoint."""
        checkpoint['early_stopping'] = dict(
            wait_count=self.wait_count, best_score=float(self.best_score), validations=self._validations
        )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Take the state of early stopping from a checkpoint."""
        state = checkpoint.get('early_stopping', {})
        self.wait_count = state.get('wait_count', self.wait_count)
        self.best_score = state.get('best_score', self.best_score)
        self._validations = state.get('validations', self._validations)
