"""Beside every distillation checkpoint, the student alone."""

import os
import os.path as osp
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from topkd.registry import HOOKS
from topkd.utils.checkpoint import save_file, student_state


@HOOKS.register_module()
class StudentCheckpointHook(Hook):
    """Write ``student_<name>.pth`` whenever ``<name>.pth`` is saved, and remove it when that is removed.

    The file holds ``state_dict`` and ``meta`` only and loads strictly in the student's own config. With an EMA hook the
    averaged weights are in it, as they are in the checkpoint's ``state_dict``.
    """

    priority = 'LOWEST'  # after EMAHook has put its weights in, and after CheckpointHook has saved and removed

    def __init__(self) -> None:
        self._pending: dict[str, Any] | None = None
        self._written: dict[str, str] = {}

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Keep the student's weights until the checkpoint's name is known."""
        meta = {key: checkpoint['meta'][key] for key in ('epoch', 'iter', 'dataset_meta') if key in checkpoint['meta']}
        self._pending = dict(meta=meta, state_dict=student_state(checkpoint['state_dict']))

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Write what was saved by iteration."""
        self._write(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Write what was saved by epoch."""
        self._write(runner)

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Write what was saved as the best."""
        self._write(runner)

    @master_only
    def _write(self, runner: Runner) -> None:
        if self._pending is None:
            return
        named = {
            key: value
            for key, value in runner.message_hub.runtime_info.items()
            if key.startswith(('last_ckpt', 'best_ckpt')) and isinstance(value, str)
        }
        for key, source in named.items():
            if self._written.get(key) == source or not osp.isfile(source):
                continue
            save_file(self._pending, student_path(source))
            self._written[key] = source
        self._pending = None
        for name in os.listdir(runner.work_dir):
            if name.startswith('student_') and not osp.isfile(osp.join(runner.work_dir, name[len('student_') :])):
                os.remove(osp.join(runner.work_dir, name))


def student_path(checkpoint: str) -> str:
    """Return the name of the student's file beside a checkpoint."""
    folder, name = osp.split(checkpoint)
    return osp.join(folder, f'student_{name}')
