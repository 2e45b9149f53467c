"""A hook that measures the teacher once, before the student's first step."""

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from topkd.hooks.cohort_hook import single_evaluator
from topkd.registry import HOOKS


@HOOKS.register_module()
class TeacherEvaluationHook(Hook):
    """Evaluate the teacher on the validation set, fed exactly as during the distillation, and log its metrics.

    A teacher below ``teacher.floor`` stops the training: most failed reproductions of distillation papers trained
    against a teacher that had silently not been loaded. A resumed training does not measure again.

    Raises (before the training):
        ValueError: If a metric is below its floor.
        KeyError: If the floor names a metric that the evaluator does not compute.
    """

    priority = 'VERY_LOW'

    @torch.no_grad()
    def before_train(self, runner: Runner) -> None:
        """Run the teacher over the validation set."""
        if runner.iter > 0 or runner.val_loop is None:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        teacher = model.teacher
        loop = runner.val_loop
        evaluator = single_evaluator(loop)
        for batch in loop.dataloader:
            data = model.data_preprocessor(batch, False)
            inputs = teacher.adapt_inputs(data['inputs'], model.data_preprocessor, data['data_samples'])
            outputs = teacher(inputs, data['data_samples'], mode='predict')
            evaluator.process(data_samples=outputs, data_batch=batch)
        metrics = evaluator.evaluate(len(loop.dataloader.dataset))
        figures = ', '.join(f'{name} {value:.4g}' for name, value in metrics.items())
        runner.logger.info(f"teacher '{teacher.name}' ({teacher.fingerprint}) on the validation set: {figures}")
        for name, value in metrics.items():
            runner.message_hub.update_info(f'teacher/{name}', float(value))
        for name, floor in teacher.floor.items():
            self._check(teacher.name, name, metrics.get(name), floor, metrics)

    @staticmethod
    def _check(teacher: str, name: str, value: float | None, floor: float, metrics: dict) -> None:
        if value is None:
            raise KeyError(f"teacher.floor names the metric '{name}', the evaluator computes {', '.join(metrics)}")
        if not value >= floor:
            raise ValueError(
                f"teacher '{teacher}' must reach {name} {floor}, got {value:.4g}: check its checkpoint and "
                'normalization, or lower teacher.floor'
            )
