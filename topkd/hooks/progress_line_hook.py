"""A hook that prints a line of progress now and then, for trainings whose log is silent."""

import time

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from topkd.registry import HOOKS


@HOOKS.register_module()
class ProgressLineHook(Hook):
    """Print the epoch, the last validation and the time left, at most every few seconds.

    Args:
        name (str): What is trained.
        monitor (str): Metric of the validation that is shown.
        seconds (float): Between two lines. Defaults to 10.
    """

    def __init__(self, name: str, monitor: str, seconds: float = 10.0) -> None:
        self.name, self.monitor, self.seconds = name, monitor, seconds

    def before_train(self, runner: Runner) -> None:
        """Start the clock."""
        self.begin = self.said = time.monotonic()
        self.first = runner.epoch

    @master_only
    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Print a line if the last one is long ago."""
        now = time.monotonic()
        if now - self.said < self.seconds or not metrics or self.monitor not in metrics:
            return
        self.said = now
        left = (now - self.begin) / max(runner.epoch - self.first, 1) * (runner.max_epochs - runner.epoch)
        print(
            f'{self.name}: epoch {runner.epoch} of at most {runner.max_epochs}, {self.monitor} '
            f'{metrics[self.monitor]:.6f}, at most {left:.0f} s left',
            flush=True,
        )
