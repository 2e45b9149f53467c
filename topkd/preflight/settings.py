"""Do the numbers of a config make a training at all?"""

import math
from collections.abc import Mapping
from multiprocessing import get_all_start_methods
from typing import Any

from mmengine.config import Config
from mmengine.registry import FUNCTIONS, OPTIMIZERS, Registry

from topkd.compat.hosts import is_installed
from topkd.preflight.findings import Findings
from topkd.utils.checks import choice, flag, number, seed, whole, wholes
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
            findings.look(_check_collation, f'{name}.collate_fn', loader.get('collate_fn'))


def check_settings(cfg: Config, findings: Findings) -> None:
    """Check the words that MMEngine looks up late or in silence, and that numbers are numbers."""
    findings.look(check_finite, cfg)
    findings.look(_check_scope, cfg.get('default_scope'))
    randomness = cfg.get('randomness') or {}
    if randomness.get('seed') is not None:
        findings.look(seed, 'randomness.seed', randomness['seed'])
    for name in ('deterministic', 'diff_rank_seed'):
        if name in randomness:
            findings.look(flag, f'randomness.{name}', randomness[name])
    method = ((cfg.get('env_cfg') or {}).get('mp_cfg') or {}).get('mp_start_method')
    if method is not None:
        findings.look(choice, 'env_cfg.mp_cfg.mp_start_method', method, get_all_start_methods())
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
        if name in schedule:
            findings.look(whole, f'train_cfg.{name}', schedule[name], at_least=1)
    _check_schedulers(cfg.get('param_scheduler'), findings)
    if cfg.get('optim_wrapper') is None:
        findings.look(_needed, 'optim_wrapper')
    else:
        _check_wrapper(cfg.optim_wrapper, findings)
    _check_saving((cfg.get('default_hooks') or {}).get('checkpoint'), findings)


def _check_schedulers(schedulers: Any, findings: Findings) -> None:
    """Check what MMEngine takes and never reaches: steps of no length, and milestones that are no numbers."""
    for path, scheduler in entries(schedulers, 'param_scheduler'):
        if not isinstance(scheduler, dict):
            continue
        if 'step_size' in scheduler:
            findings.look(whole, f'{path}.step_size', scheduler['step_size'], at_least=1)
        if scheduler.get('milestones', []) != []:
            findings.look(wholes, f'{path}.milestones', scheduler['milestones'], at_least=0)


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


def _check_scope(scope: Any) -> None:
    if isinstance(scope, str) and not (scope.isidentifier() and is_installed(scope)):
        raise KeyError(f"default_scope names the package '{scope}', which is not installed: name mmpretrain or mmdet")


def _check_optimizer(name: str) -> None:
    if not name or not _is_registered(OPTIMIZERS, name):
        raise KeyError(f"optim_wrapper.optimizer has the unknown type '{name}': name an optimizer such as SGD or AdamW")


def _check_collation(name: str, collate: Any) -> None:
    kind = collate.get('type') if isinstance(collate, Mapping) else None
    if isinstance(kind, str) and not _is_registered(FUNCTIONS, kind):
        raise KeyError(f"{name} has the unknown type '{kind}': name a function such as pseudo_collate")


def _is_registered(registry: Registry, name: str) -> bool:
    """Tell whether a name is known in the default scope, whose toolbox may have components of its own."""
    with registry.switch_scope_and_registry(None) as own:
        return own.get(name) is not None


def _needed(name: str) -> Any:
    raise KeyError(f"the config has no '{name}', which is needed here: add it, or name another config")
