"""Checkpoints of which a kill at any moment leaves the newest, and what a kill left over is removed."""

import os.path as osp
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process, master_only
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from topkd.registry import HOOKS
from topkd.utils.files import remove_partials, write_text
from topkd.utils.whole_file_backend import use_whole_files

OUTDATED = 'outdated_ckpt'  # in the message hub, which every checkpoint holds


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """MMEngine's hook, which removes the oldest checkpoint only after the newest is written.

    MMEngine removes first: a kill in between costs an epoch, and with ``max_keep_ckpts=1`` the whole training. The
    files themselves are written whole from here on, see :func:`topkd.utils.whole_file_backend.use_whole_files`.
    ``tools/train.py`` takes this hook wherever a config names MMEngine's; the arguments are the same.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        use_whole_files()

    def before_train(self, runner: Runner) -> None:
        """Finish what a kill interrupted: half files, an outdated checkpoint, the pointer to the newest."""
        super().before_train(runner)
        if runner.iter > 0:
            # MMEngine forgets it, and would not write down in the checkpoint that it turned out to be the best
            self.last_ckpt = runner.message_hub.runtime_info.get('last_ckpt')
        self._clean(runner)

    @master_only
    def _clean(self, runner: Runner) -> None:
        infos = runner.message_hub.runtime_info
        for folder in {str(runner.work_dir), str(self.out_dir)}:
            remove_partials(folder)
        if runner.iter == 0:
            return
        if infos.get(OUTDATED) is not None:
            self._remove(infos[OUTDATED])
        if infos.get('last_ckpt') and osp.isfile(infos['last_ckpt']):
            write_text(infos['last_ckpt'], Path(runner.work_dir, 'last_checkpoint'))

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, Any]) -> None:
        asked = self.key_indicators if self.save_best else []
        unknown = [name for name in asked if name not in metrics and name != 'auto']
        if unknown:
            raise KeyError(
                f"save_best names the metric '{unknown[0]}', which no evaluator makes: name one of "
                f'{", ".join(metrics)} in default_hooks.checkpoint.save_best'
            )
        super()._save_best_checkpoint(runner, metrics)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        kept = self.keep_ckpt_ids if self.max_keep_ckpts > 0 else None
        outdated = None
        if kept is not None and len(kept) == self.max_keep_ckpts and kept[-1] != step:
            outdated = kept.popleft()
            runner.message_hub.update_info(OUTDATED, outdated)
        super()._save_checkpoint_with_step(runner, step, meta)
        if outdated is not None and is_main_process():
            self._remove(outdated)

    def _remove(self, step: int) -> None:
        path = self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(step))
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):  # deepspeed's checkpoints are folders
            self.file_backend.rmtree(path)
