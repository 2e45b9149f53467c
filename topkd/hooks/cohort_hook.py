"""A hook that evaluates a cohort member by member."""

import copy
from typing import Any

from mmengine.evaluator import Evaluator
from mmengine.hooks import CheckpointHook, Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.runner import BaseLoop, Runner

from topkd.models.distillers.cohort import Cohort, MemberPredictions
from topkd.models.distillers.member_scalers import MemberScalers
from topkd.registry import HOOKS


class MemberEvaluators:
    """Compute the metrics of every member by an evaluator of its own.

    Args:
        evaluator (Evaluator): What would evaluate a single model.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.members: dict[str, Evaluator] = {}

    @property
    def metrics(self) -> list:
        """list: Of the single model's evaluator."""
        return self.evaluator.metrics

    def process(self, data_samples: list[MemberPredictions], data_batch: Any = None) -> None:
        """Look at the predictions of all members for a batch."""
        for name, predictions in data_samples:
            if name not in self.members:
                self.members[name] = copy.deepcopy(self.evaluator)
            self.members[name].process(data_samples=predictions, data_batch=data_batch)

    def evaluate(self, size: int) -> dict[str, float]:
        """Return the metrics of all members as ``<member>/<metric>``, and start over.

        Args:
            size (int): Images of the data set.
        """
        found = {name: evaluator.evaluate(size) for name, evaluator in self.members.items()}
        self.members = {}
        return {f'{name}/{key}': value for name, metrics in found.items() for key, value in metrics.items()}


def single_evaluator(loop: BaseLoop) -> Evaluator:
    """Return the evaluator that a validation or test loop has for a single model."""
    return loop.evaluator.evaluator if isinstance(loop.evaluator, MemberEvaluators) else loop.evaluator


def cohort_of(runner: Runner) -> Cohort | None:
    """Return the cohort that a runner trains, None for another model."""
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return model if isinstance(model, Cohort) else None


@HOOKS.register_module()
class CohortHook(Hook):
    """Let a stock runner evaluate every member of a cohort, and close with a table of all.

    Metrics are called ``<member>/<metric>``. ``save_best`` of the checkpoint hook is switched off, since the members'
    best epochs differ; ``results.json`` tells them. ``tools/train.py`` adds this hook to every training; without a
    cohort it does nothing.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        """Put the members' evaluators and gradient scalers in place; other models are left alone."""
        cohort = cohort_of(runner)
        if cohort is None:
            return
        if isinstance(runner.optim_wrapper, OptimWrapper):
            MemberScalers.install(runner.optim_wrapper, cohort.members)  # before a checkpoint's are loaded into them
        for loop in (runner.val_loop, runner.test_loop):
            if loop is not None and not isinstance(loop.evaluator, MemberEvaluators):
                loop.evaluator = MemberEvaluators(loop.evaluator)
        for hook in runner.hooks:
            if isinstance(hook, CheckpointHook) and hook.save_best is not None:
                print_log('a cohort has no single best checkpoint: save_best is switched off', 'current')
                hook.save_best = None

    def after_train(self, runner: Runner) -> None:
        """Log the last and best validation of all members."""
        results = runner.message_hub.runtime_info.get('results', {})
        if cohort_of(runner) is not None and results.get('members'):
            runner.logger.info('members of the cohort:\n' + member_table(results))


def member_table(results: dict[str, Any]) -> str:
    """Format the last and best validation of all members.

    Args:
        results (dict): Content of a cohort's ``results.json``.

    Returns:
        str: A line a member.

    Example:
        >>> row = dict(last=dict(top1=90.0, epoch=2), best=dict(top1=91.5, epoch=1))
        >>> print(member_table(dict(monitor='top1', members=dict(plain=row))))
        member                        last      best  (epoch)
        plain                        90.00     91.50        1
    """
    key = results['monitor']
    lines = [f'{"member":<24}{"last":>10}{"best":>10}  (epoch)']
    for name, member in results['members'].items():
        last, best = member['last'], member['best']
        lines.append(f'{name:<24}{last[key]:>10.2f}{best[key]:>10.2f}{best["epoch"]:>9}')
    return '\n'.join(lines)
