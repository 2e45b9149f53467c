"""Do the numbers of a config make a training at all?"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import OPTIMIZERS

from topkd.preflight.findings import Findings
from topkd.utils.checks import choice, whole

LEVELS = ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')
ROOM = 64 * 2**20  # bytes; below that not even a small student's checkpoint fits


def check_loaders(cfg: Config, loaders: tuple[str, ...], findings: Findings) -> None:
    """Check the sizes of batches and the numbers of workers."""
    for name in loaders:
        loader = cfg.get(name)
        if loader is None and name == 'train_dataloader':
            findings.look(_needed, name)
        elif isinstance(loader, Mapping):
            if loader.get('batch_size') is not None:
                findings.look(whole, f'{name}.batch_size', loader['batch_size'], at_least=1)
            findings.look(whole, f'{name}.num_workers', loader.get('num_workers', 0), at_least=0)


def check_settings(cfg: Config, findings: Findings) -> None:
    """Check the words that MMEngine looks up late, or in silence."""
    level = cfg.get('log_level')
    if isinstance(level, str):
        findings.look(choice, 'log_level', level.upper(), LEVELS)
    wrapper = cfg.get('optim_wrapper')
    optimizer = wrapper.get('optimizer') if isinstance(wrapper, Mapping) else None
    if isinstance(optimizer, Mapping) and isinstance(optimizer.get('type'), str):
        findings.look(_check_optimizer, optimizer['type'])


def check_schedule(cfg: Config, findings: Findings) -> None:
    """Check the length of the training and the interval of its validations."""
    schedule = cfg.get('train_cfg')
    if not isinstance(schedule, Mapping):
        findings.look(_needed, 'train_cfg')
        return
    for name in ('max_epochs', 'max_iters', 'val_interval'):
        if schedule.get(name) is not None:
            findings.look(whole, f'train_cfg.{name}', schedule[name], at_least=1)
    if cfg.get('optim_wrapper') is None:
        findings.look(_needed, 'optim_wrapper')


def check_room(folder: str | Path, needed: int = ROOM) -> None:
    """Refuse a disk without room for what a run writes.

    Args:
        folder (str | Path): Where it will write; need not exist yet.
        needed (int): Bytes. Defaults to what the smallest checkpoint takes.

    Raises:
        OSError: If there is less.
    """
    place = Path(folder).absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed:
        raise OSError(
            f"the disk of '{folder}' has {free / 2**20:.0f} MiB left, this run needs {needed / 2**20:.0f} MiB or more: "
            'free space there, or name another folder'
        )
    if not os.access(place, os.W_OK) or not place.is_dir():
        raise OSError(f"'{folder}' cannot be made or written to, because of '{place}': name another folder")


def _check_optimizer(name: str) -> None:
    if OPTIMIZERS.get(name) is None:
        raise KeyError(f"optim_wrapper.optimizer has the unknown type '{name}': name an optimizer such as SGD or AdamW")


def _needed(name: str) -> Any:
    raise KeyError(f"the config has no '{name}', which is needed here: add it, or name another config")
