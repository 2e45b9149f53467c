"""Where a training begins: at the checkpoint that a killed one left, or from the beginning.

MMEngine takes the newest file; one that a kill left damaged has to be passed over.
"""

import logging
import re
import zipfile
from pathlib import Path

from mmengine.config import Config
from mmengine.logging import print_log


def choose_start(cfg: Config, resume: str | None = None) -> None:
    """Let a training go on from a checkpoint, or begin anew.

    Args:
        cfg (Config): Of the training; its ``resume`` and ``load_from`` are set.
        resume (str, optional): A checkpoint, or 'auto' for the newest one of the work directory, if there is one.
            None: what the config says, where ``resume=True`` is ``load_from`` or else 'auto'.
    """
    resume = resume or (cfg.get('resume') and (cfg.get('load_from') or 'auto'))
    checkpoint = newest_checkpoint(cfg.work_dir) if resume == 'auto' else resume or None
    cfg.resume = checkpoint is not None
    if checkpoint is None:
        warn_of_another_training(cfg)
    else:
        cfg.load_from = str(checkpoint)


def newest_checkpoint(work_dir: str | Path) -> Path | None:
    """Return the newest checkpoint of a training that is whole.

    A kill may leave a checkpoint that is cut short, or a file ``last_checkpoint`` that is empty; the files themselves
    tell which of them can be read.

    Args:
        work_dir (str | Path): Folder of the training.

    Returns:
        Path | None: ``epoch_<N>.pth`` or ``iter_<N>.pth`` with the greatest N; None if there is none.
    """
    for _, path in sorted(_checkpoints(work_dir), reverse=True):
        if zipfile.is_zipfile(path):  # the table of contents stands at the end
            return path
        print_log(
            f"'{path}' is cut short: the training goes on from the checkpoint before it", 'current', logging.WARNING
        )
    return None


def warn_of_another_training(cfg: Config) -> None:
    """Warn if a training will overwrite the checkpoints of one with another model.

    A pair, its control and its cohort have one file name in three folders, and so one default work directory.

    Args:
        cfg (Config): Of a training that starts from the beginning.
    """
    # a training writes its config beside its checkpoints, under the name of the config's file
    written = sorted(Path(cfg.work_dir).glob('*.py'), key=lambda path: path.stat().st_mtime)
    if not _checkpoints(cfg.work_dir) or not written:
        return
    try:
        before = Config.fromfile(written[-1]).to_dict()
    except Exception:  # whatever a file that somebody changed may raise
        return
    if before.get('model') != cfg.to_dict().get('model'):
        print_log(
            f"'{cfg.work_dir}' holds checkpoints of a training with another model, which this one overwrites: stop it "
            'and give another --work-dir to keep both',
            'current',
            logging.WARNING,
        )


def _checkpoints(work_dir: str | Path) -> list[tuple[int, Path]]:
    """Return the checkpoints of a training, whole or not, each with its number."""
    found = ((re.fullmatch(r'(?:epoch|iter)_(\d+)\.pth', path.name), path) for path in Path(work_dir).glob('*.pth'))
    return [(int(match[1]), path) for match, path in found if match]
