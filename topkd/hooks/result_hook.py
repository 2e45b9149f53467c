"""Report the best and the last validation, both."""

import os.path as osp
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, Runner

from topkd.registry import HOOKS
from topkd.utils.files import write_json

KEY = 'results'  # in the message hub, which every checkpoint holds


@HOOKS.register_module()
class ResultHook(Hook):
    """Write ``results.json`` to the work directory after every validation, and a closing line to the log.

    Papers report the best accuracy over all epochs, which is chosen on the test split; the last is what a user who has no
    test labels gets. A resumed training goes on with the results that its checkpoint knows.

    Args:
        monitor (str): The metric that decides which validation was the best. Defaults to 'accuracy/top1'.
        rule (str): 'greater' or 'less'. Defaults to 'greater'.
    """

    priority = 'LOWEST'  # after the hooks that a validation needs are ready, and after CheckpointHook has saved

    def __init__(self, monitor: str = 'accuracy/top1', rule: str = 'greater') -> None:
        if rule not in ('greater', 'less'):
            raise ValueError(f"rule must be 'greater' or 'less', got '{rule}'")
        self.monitor = monitor
        self.rule = rule
        self.results: dict[str, Any] = {}

    def before_train(self, runner: Runner) -> None:
        """Go on with the results that the resumed checkpoint knows, and validate it.

        A checkpoint is saved before its own validation, so whatever followed, that validation is not in it: neither its
        figures nor whether it was the best.
        """
        self.results = runner.message_hub.runtime_info.get(KEY, {})
        if runner.iter > 0 and runner.val_loop is not None and _validation_is_due(runner.train_loop):
            runner.val_loop.run()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Compare a validation with the best so far."""
        if not metrics or self.monitor not in metrics:
            return
        last = dict({name: float(value) for name, value in metrics.items()}, epoch=runner.epoch, iter=runner.iter)
        best = self.results.get('best', last)
        better = (
            last[self.monitor] > best[self.monitor]
            if self.rule == 'greater'
            else last[self.monitor] < best[self.monitor]
        )
        teacher = {
            name[len('teacher/') :]: value
            for name, value in runner.message_hub.runtime_info.items()
            if name.startswith('teacher/')
        }
        self.results = dict(monitor=self.monitor, last=last, best=last if better else best, seed=runner.seed)
        if teacher:
            self.results['teacher'] = teacher
        runner.message_hub.update_info(KEY, self.results)
        self._save(runner)

    @master_only
    def _save(self, runner: Runner) -> None:
        write_json(self.results, self._path(runner))

    def after_train(self, runner: Runner) -> None:
        """Log both."""
        if self.results:
            last, best = self.results['last'], self.results['best']
            runner.logger.info(
                f'{self.monitor}: last {last[self.monitor]:.4g} (epoch {last["epoch"]}), best '
                f'{best[self.monitor]:.4g} (epoch {best["epoch"]}, chosen on the validation set)'
            )

    @staticmethod
    def _path(runner: Runner) -> str:
        return osp.join(runner.work_dir, 'results.json')


def _validation_is_due(loop: BaseLoop) -> bool:
    """Tell whether a training loop validates at the point where it stands."""
    by_epoch = isinstance(loop, EpochBasedTrainLoop)
    done, last = (loop.epoch, loop.max_epochs) if by_epoch else (loop.iter, loop.max_iters)
    return done >= loop.val_begin and (done % loop.val_interval == 0 or done == last)
