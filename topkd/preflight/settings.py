"""Do the numbers of a config make a training at all?"""

import math
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import OPTIMIZERS

from topkd.preflight.findings import Findings
from topkd.utils.checks import choice, number, seed, whole
from topkd.utils.error_context import entries

LEVELS = ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')


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
    """Check the words that MMEngine looks up late or in silence, and that numbers are numbers."""
    findings.look(check_finite, cfg)
    randomness = cfg.get('randomness')
    if isinstance(randomness, Mapping) and randomness.get('seed') is not None:
        findings.look(seed, 'randomness.seed', randomness['seed'])
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
    for name in ('max_epochs', 'max_iters', 'val_interval', 'val_begin'):
        if schedule.get(name) is not None:
            findings.look(whole, f'train_cfg.{name}', schedule[name], at_least=1)
    if cfg.get('optim_wrapper') is None:
        findings.look(_needed, 'optim_wrapper')
    else:
        _check_wrapper(cfg.optim_wrapper, findings)
    _check_saving((cfg.get('default_hooks') or {}).get('checkpoint'), findings)


def _check_wrapper(wrapper: Mapping[str, Any], findings: Findings) -> None:
    """Check what MMEngine would take and use otherwise: a negative norm turns every gradient around."""
    if wrapper.get('accumulative_counts') is not None:
        findings.look(whole, 'optim_wrapper.accumulative_counts', wrapper['accumulative_counts'], at_least=1)
    clip = wrapper.get('clip_grad')
    for name in ('max_norm', 'clip_value'):
        if isinstance(clip, Mapping) and clip.get(name) is not None:
            findings.look(number, f'optim_wrapper.clip_grad.{name}', clip[name], above=0)


def _check_saving(hook: Any, findings: Findings) -> None:
    """Check how often checkpoints are saved, and how many stay; -1 stands for never, and for all."""
    for name in ('interval', 'max_keep_ckpts') if isinstance(hook, Mapping) else ():
        if hook.get(name) not in (None, -1):
            findings.look(whole, f'default_hooks.checkpoint.{name}', hook[name], at_least=1)


def check_finite(cfg: Config) -> None:
    """Refuse numbers with which every weight would end as NaN: NaN anywhere, and an infinite step.

    Raises:
        ValueError: Naming all of them.

    Examples:
        >>> check_finite(Config(dict(optim_wrapper=dict(optimizer=dict(lr=float('inf'))))))
        Traceback (most recent call last):
        ValueError: optim_wrapper.optimizer.lr must be a finite number, got inf: correct it in the config
    """
    wrong = [
        f'{path}.{key} must be a finite number, got {value}'
        for path, node in entries(cfg)
        for key, value in (node.items() if isinstance(node, dict) else enumerate(node))
        if isinstance(value, float)
        and (math.isnan(value) or (math.isinf(value) and path.startswith(('optim_wrapper', 'param_scheduler'))))
    ]
    if wrong:
        raise ValueError(f'{"; ".join(wrong)}: correct {"it" if len(wrong) == 1 else "them"} in the config')


def _check_optimizer(name: str) -> None:
    if not name or OPTIMIZERS.get(name) is None:
        raise KeyError(f"optim_wrapper.optimizer has the unknown type '{name}': name an optimizer such as SGD or AdamW")


def _needed(name: str) -> Any:
    raise KeyError(f"the config has no '{name}', which is needed here: add it, or name another config")
