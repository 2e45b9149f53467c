"""A hook that saves the student alone beside every distillation checkpoint."""

import os.path as osp
import zipfile
from pathlib import Path
from typing import Any

from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner

from topkd.hooks.cohort_hook import cohort_of
from topkd.registry import HOOKS
from topkd.utils.checkpoint import load_file, save_file
from topkd.utils.student_state import STUDENT, member_names, student_path, student_state


@HOOKS.register_module()
class StudentCheckpointHook(Hook):
    """Write ``student_<name>.pth`` whenever ``<name>.pth`` is saved, and remove it when that is removed.

    The file holds ``state_dict`` and ``meta`` only and loads strictly in the student's own config. With an EMA hook the
    averaged weights are in it, as they are in the checkpoint's ``state_dict``.
    """

    priority = 'LOWEST'  # after EMAHook has put its weights in, and after CheckpointHook has saved and removed

    def __init__(self) -> None:
        self._pending: dict[str, dict[str, Any]] | None = None
        self._written: dict[str, str] = {}

    @master_only
    def before_train(self, runner: Runner) -> None:
        """Write what a kill between a checkpoint and its student's file left out, and remove what it left over."""
        for path in Path(runner.work_dir).glob('*.pth') if runner.iter > 0 else ():
            if path.name.startswith(STUDENT) or not zipfile.is_zipfile(path):
                continue
            for member, content in _students(load_file(str(path))).items():
                if not Path(student_path(str(path), member)).is_file():
                    save_file(content, student_path(str(path), member))
        if runner.iter > 0:
            _remove_orphans(runner)
            # what a later epoch saves is not theirs
            self._written = _named(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Keep the student's weights until the checkpoint's name is known."""
        self._pending = _students(checkpoint)

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
        for key, source in _named(runner).items():
            if self._written.get(key) == source or not osp.isfile(source):
                continue
            for member, content in self._pending.items():
                save_file(content, student_path(source, member))
            self._written[key] = source
        self._pending = None
        _remove_orphans(runner)


def _named(runner: Runner) -> dict[str, str]:
    """Return the paths of the last checkpoint and of the best ones, as CheckpointHook notes them."""
    infos = runner.message_hub.runtime_info.items()
    return {key: value for key, value in infos if key.startswith(('last_ckpt', 'best_ckpt')) and isinstance(value, str)}


def _remove_orphans(runner: Runner) -> None:
    """Remove the students of checkpoints that are gone."""
    cohort, folder = cohort_of(runner), Path(runner.work_dir)
    members = [''] if cohort is None else list(cohort.members)
    kept = [path.name for path in folder.glob('*.pth') if not path.name.startswith(STUDENT)]
    theirs = {student_path(name, member) for name in kept for member in members}
    for path in folder.glob(f'{STUDENT}*.pth'):
        if path.name not in theirs:
            path.unlink()


def _students(checkpoint: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what the files of the students hold, by member; '' is a single student."""
    meta = {key: checkpoint['meta'][key] for key in ('epoch', 'iter', 'dataset_meta') if key in checkpoint['meta']}
    weights = checkpoint['state_dict']
    return {
        member: dict(meta=meta, state_dict=student_state(weights, member or None))
        for member in member_names(weights) or ['']
    }
