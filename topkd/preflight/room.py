"""How many bytes a training will write, estimated from its networks without their weights."""

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import MODELS

from topkd.utils.disk import ROOM

NUMBER = 4  # bytes


def bytes_of_training(cfg: Config) -> int:
    """Estimate what the checkpoints of a training take besides what its work directory holds already.

    They are those that are kept and the newest, which is written before the oldest is removed, each with the state of
    the optimizer; and, without it, the best ones and the students of distillations.

    Args:
        cfg (Config): The training's.

    Returns:
        int: Bytes; what the smallest training needs if the networks cannot be built like this.
    """
    numbers = _numbers(cfg)
    hook = dict((cfg.get('default_hooks') or {}).get('checkpoint') or dict(interval=1))
    files = _files(hook, cfg.get('train_cfg') or {})
    best = hook.get('save_best')
    alone = (len(best) if isinstance(best, (list, tuple)) else int(bool(best))) + files * _exports(cfg)
    needed = NUMBER * numbers * (files * _copies(cfg) + alone)
    present = sum(path.stat().st_size for path in Path(cfg.work_dir).glob('*.pth'))
    return max(ROOM, needed - present)


def _files(hook: Mapping[str, Any], schedule: Mapping[str, Any]) -> int:
    """Return how many numbered checkpoints lie in the work directory at once, the one being written included."""
    by_epoch = hook.get('by_epoch', True)
    length, interval = schedule.get('max_epochs' if by_epoch else 'max_iters') or 1, hook.get('interval', -1)
    regular = isinstance(interval, int) and interval > 0
    written = length // interval if regular else int(bool(hook.get('save_last', True)))
    kept = hook.get('max_keep_ckpts', -1)
    return min(written, kept + 1) if isinstance(kept, int) and kept > 0 else written


def _copies(cfg: Config) -> int:
    """Return how often the weights stand in a checkpoint: themselves, and the state of the optimizer."""
    optimizer = (cfg.get('optim_wrapper') or {}).get('optimizer') or {}
    return 1 + (int(bool(optimizer.get('momentum'))) if optimizer.get('type') == 'SGD' else 2)


def _exports(cfg: Config) -> int:
    """Return how many files with a student alone stand beside a checkpoint: one for each member and each distiller."""
    return int('student' in cfg.model or 'members' in cfg.model)


def _numbers(cfg: Config) -> int:
    """Count the numbers of all networks that are trained; 0 if one cannot be built without memory for its weights."""
    trained = list(_trained(cfg.model))
    alike = Counter(map(repr, trained))  # members of a cohort are mostly the same network
    with contextlib.suppress(Exception):  # whoever builds it in earnest says what is wrong
        return sum(_size(config) * alike[text] for text, config in {repr(one): one for one in trained}.items())
    return 0


def _trained(model: dict) -> Iterator[dict]:
    """Yield the configs of the networks that a training saves; a teacher is not saved."""
    if 'members' in model:
        yield from (member['student'] for member in model['members'].values())
    elif 'featurizer' in model:
        return
    else:
        yield model.get('student', model)


def _size(config: dict) -> int:
    with torch.device('meta'):
        network = MODELS.build(deepcopy(config))  # detectors write into what they are built from
    return sum(tensor.numel() for tensor in chain(network.parameters(), network.buffers()))
