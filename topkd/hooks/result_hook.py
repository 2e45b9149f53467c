"""A hook that reports the best and the last validation."""

import os.path as osp
from collections.abc import Iterable
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from topkd.hooks.cohort_hook import cohort_of
from topkd.registry import HOOKS
from topkd.utils.checks import choice
from topkd.utils.files import write_json

KEY = 'results'  # in the message hub, which every checkpoint holds
# what a metric is if a validation does not say it: mmdet's says nothing at all of a detector that finds no box
OF_NOTHING = {'coco/bbox_mAP': 0.0}


@HOOKS.register_module()
class ResultHook(Hook):
    """Write ``results.json`` to the work directory after every validation, and a closing line to the log.

    Papers report the best accuracy over all epochs, which is chosen on the test split; the last is what a user who has
    no test labels gets. A resumed training goes on with the results that its checkpoint knows. A detector that finds no
    box in any image, of which mmdet's metric says nothing, has average precision 0.

    Args:
        monitor (str): The metric that decides which validation was the best. Defaults to 'accuracy/top1'.
        rule (str): 'greater' or 'less'. Defaults to 'greater'.

    Raises:
        ValueError: If the rule is another, or, at the first validation, nothing makes that metric.
    """

    priority = 'LOWEST'  # after the hooks that a validation needs are ready, and after CheckpointHook has saved

    def __init__(self, monitor: str = 'accuracy/top1', rule: str = 'greater') -> None:
        self.monitor = monitor
        self.rule = choice('rule', rule, ('greater', 'less'))
        self.results: dict[str, Any] = {}

    def before_train(self, runner: Runner) -> None:
        """Go on with the results that the resumed checkpoint knows."""
        self.results = runner.message_hub.runtime_info.get(KEY, {})

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Compare a validation with the best so far."""
        cohort = cohort_of(runner)
        found = (
            {'': {key: float(value) for key, value in (metrics or {}).items()}}
            if cohort is None
            else by_member(metrics or {}, cohort.members)
        )
        before = dict({'': self.results}, **self.results.get('members', {}))
        when = dict(epoch=runner.epoch, iter=runner.iter)
        compared = {
            name: self._compared(dict(values, **when), before.get(name, {}))
            for name, values in self._complete(found, [] if cohort is None else cohort.inactive).items()
            if self.monitor in values
        }
        if not compared:
            _refuse_other_metrics(self.monitor, found)
            return
        if cohort is None:
            own: dict[str, Any] = dict(compared[''])
        else:  # a member that was stopped keeps what it had
            own = dict(members={**self.results.get('members', {}), **compared})
        self.results = dict(monitor=self.monitor, **own, seed=runner.seed)
        if cohort is not None and cohort.inactive:
            self.results['stopped'] = cohort.inactive
        self.results.update(_of_teacher(runner))
        runner.message_hub.update_info(KEY, self.results)
        self._save(runner)

    def _complete(self, found: dict[str, dict[str, float]], inactive: Iterable[str]) -> dict[str, dict[str, float]]:
        """Add the monitored metric where it is known although the validation does not say it."""
        if self.monitor not in OF_NOTHING:
            return found
        nothing = {self.monitor: OF_NOTHING[self.monitor]}
        return {name: values if name in inactive else {**nothing, **values} for name, values in found.items()}

    def _compared(self, last: dict[str, float], before: dict[str, Any]) -> dict[str, dict[str, float]]:
        """Return a validation as the last one, and as the best one if it is."""
        best = before.get('best', last)
        sign = 1 if self.rule == 'greater' else -1
        return dict(last=last, best=last if sign * last[self.monitor] > sign * best[self.monitor] else best)

    @master_only
    def _save(self, runner: Runner) -> None:
        write_json(self.results, self._path(runner))

    def after_train(self, runner: Runner) -> None:
        """Log both."""
        if 'last' in self.results:
            last, best = self.results['last'], self.results['best']
            runner.logger.info(
                f'{self.monitor}: last {last[self.monitor]:.4g} (epoch {last["epoch"]}), best '
                f'{best[self.monitor]:.4g} (epoch {best["epoch"]}, chosen on the validation set)'
            )

    @staticmethod
    def _path(runner: Runner) -> str:
        return osp.join(runner.work_dir, 'results.json')


def _of_teacher(runner: Runner) -> dict[str, dict[str, Any]]:
    """Return the teacher's figures as the entry ``teacher``; nothing if it was not evaluated."""
    known = runner.message_hub.runtime_info.items()
    found = {name[len('teacher/') :]: value for name, value in known if name.startswith('teacher/')}
    return dict(teacher=found) if found else {}


def _refuse_other_metrics(monitor: str, found: dict[str, dict[str, float]]) -> None:
    """Refuse a monitored metric that no evaluator makes, if any metric was made."""
    made = sorted({name for values in found.values() for name in values})
    if made:
        raise ValueError(
            f"ResultHook monitors the metric '{monitor}', which no evaluator makes: name one of {', '.join(made)} in "
            'custom_hooks'
        )


def by_member(metrics: dict[str, float], members: Iterable[str]) -> dict[str, dict[str, float]]:
    """Sort metrics ``<member>/<metric>`` by member.

    Example:
        >>> by_member({'KD/top1': 1.0, 'plain/top1': 2.0}, ['plain', 'KD'])
        {'plain': {'top1': 2.0}, 'KD': {'top1': 1.0}}
    """
    return {
        name: {key[len(name) + 1 :]: float(value) for key, value in metrics.items() if key.startswith(f'{name}/')}
        for name in members
    }
