"""What a checkpoint must hold besides weights and optimizer for a resumed training to end as the one that was not."""

from typing import Any

from mmengine.dist import all_gather, get_rank, get_world_size
from mmengine.hooks import CheckpointHook, EarlyStoppingHook, Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from topkd.registry import HOOKS
from topkd.utils.resumable import Resumable

KEY = 'training_state'
Gradients = dict[str, list[Tensor]]  # by the name of the parameter, one a process


@HOOKS.register_module()
class TrainingStateHook(Hook):
    """Save and restore accumulated gradients, what the model's parts have seen, and the patience of early stopping.

    A training that accumulates gradients over k steps may be saved between two updates: without its gradients it would
    go on with the rest of them only. Parts of a model that count or collect are :class:`Resumable`. MMEngine's early
    stopping counts validations without improvement, and forgets them. ``tools/train.py`` adds this hook to every
    training.
    """

    def __init__(self) -> None:
        self._gradients: Gradients = {}
        self._patience: list[dict[str, Any]] = []
        self._restored: dict[str, Any] = {}

    def before_train(self, runner: Runner) -> None:
        """Put back what the checkpoint held, when the model is complete."""
        state, self._restored = self._restored, {}
        if runner.iter == 0 or not state:
            return
        for name, module in _resumable(runner).items():
            if name in state['progress']:
                module.go_on(state['progress'][name])
        self._put_back(runner, state['gradients'])
        for hook, counts in zip(_early_stopping(runner), state.get('patience', [])):
            hook.wait_count, hook.best_score = counts['wait_count'], counts['best_score']

    def after_train_epoch(self, runner: Runner) -> None:
        """Collect what stands before the validation: gradients of all processes, of which only the first saves."""
        self._gradients = _gathered_gradients(runner)
        # the checkpoint's own validation is made again by whoever goes on from it
        self._patience = [
            dict(wait_count=hook.wait_count, best_score=float(hook.best_score)) for hook in _early_stopping(runner)
        ]

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """The same where checkpoints are written by iteration."""
        if any(_saves_now(hook, runner) for hook in runner.hooks if isinstance(hook, CheckpointHook)):
            self.after_train_epoch(runner)

    def before_val_epoch(self, runner: Runner) -> None:
        """The same before a validation, whose checkpoint of the best epoch is one to go on from."""
        self.after_train_epoch(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add them to a checkpoint from which a training can go on."""
        if 'optimizer' in checkpoint:
            progress = {name: module.progress() for name, module in _resumable(runner).items()}
            checkpoint[KEY] = dict(progress=progress, gradients=self._gradients, patience=self._patience)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Keep them until the training begins."""
        self._restored = checkpoint.get(KEY, {})

    @staticmethod
    def _put_back(runner: Runner, gradients: Gradients) -> None:
        parameters = dict(_model(runner).named_parameters())
        for name, found in gradients.items():
            if len(found) != get_world_size():
                print_log(
                    f'the gradients of {len(found)} processes in the checkpoint are left out, this training has '
                    f'{get_world_size()}: its next update takes fewer steps together',
                    'current',
                    30,
                )
                return
            parameters[name].grad = found[get_rank()].to(parameters[name].device)


def _model(runner: Runner) -> nn.Module:
    return runner.model.module if is_model_wrapper(runner.model) else runner.model


def _resumable(runner: Runner) -> dict[str, Resumable]:
    return {name: module for name, module in _model(runner).named_modules() if isinstance(module, Resumable)}


def _early_stopping(runner: Runner) -> list[EarlyStoppingHook]:
    return [hook for hook in runner.hooks if isinstance(hook, EarlyStoppingHook)]


def _saves_now(hook: CheckpointHook, runner: Runner) -> bool:
    return not hook.by_epoch and (
        hook.every_n_train_iters(runner, hook.interval, hook.save_begin)
        or (hook.save_last and hook.is_last_train_iter(runner))
    )


def _gathered_gradients(runner: Runner) -> Gradients:
    """Return the gradients that no update has used yet; behind an update there are none."""
    held = {name: parameter.grad for name, parameter in _model(runner).named_parameters()}
    return {
        name: [part.detach().clone().cpu() for part in all_gather(gradient)]
        for name, gradient in held.items()
        if gradient is not None
    }
