"""Are entries misspelled that MMEngine passes over in silence?

A config's file may define variables of any name, and hooks may have any: only what is nearly a name that is read, and
used nowhere else, is taken for a slip.
"""

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Any

from mmengine.config import Config

from topkd.utils.error_context import entries
from topkd.utils.options import READ

NEAR = 0.85  # a letter or two of ten
HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')
# what MMEngine's own constructor of optimizers reads; others read other words
PARAMWISE = {
    'custom_keys',
    'norm_decay_mult',
    'bias_lr_mult',
    'bias_decay_mult',
    'dwconv_decay_mult',
    'dcn_offset_lr_mult',
    'flat_decay_mult',
    'bypass_duplicate',
}


def check_names(cfg: Config) -> None:
    """Refuse names that nobody would read.

    Raises:
        ValueError: Naming all of them, and what was meant.

    Examples:
        >>> check_names(Config(dict(custom_hook=[dict(type='A')])))
        Traceback (most recent call last):
        ValueError: nobody reads 'custom_hook', which may be meant as 'custom_hooks': correct it in the config
    """
    wrong = [*_top(cfg), *_default_hooks(cfg), *_paramwise(cfg)]
    if wrong:
        raise ValueError(f'{"; ".join(wrong)}: correct {"it" if len(wrong) == 1 else "them"} in the config')


def _top(cfg: Config) -> Iterator[str]:
    for name in cfg:
        meant = _meant(name, READ)
        if meant is not None and not _is_used(cfg, name):
            yield f"nobody reads '{name}', which may be meant as '{meant}'"


def _default_hooks(cfg: Config) -> Iterator[str]:
    for name in cfg.get('default_hooks') or ():
        meant = _meant(name, HOOKS)
        if meant is not None:
            yield f"'default_hooks.{name}' would stand beside 'default_hooks.{meant}', as which it may be meant"


def _paramwise(cfg: Config) -> Iterator[str]:
    wrapper = cfg.get('optim_wrapper') or {}
    if wrapper.get('constructor', 'DefaultOptimWrapperConstructor') != 'DefaultOptimWrapperConstructor':
        return
    for name in wrapper.get('paramwise_cfg') or ():
        if name not in PARAMWISE:
            yield f"nobody reads 'optim_wrapper.paramwise_cfg.{name}', known are {', '.join(sorted(PARAMWISE))}"


def _meant(name: str, known: Collection[str]) -> str | None:
    """Return the name that another one nearly is; one that goes on with a number or a word is another."""
    near = [] if name in known else get_close_matches(name, known, n=1, cutoff=NEAR)
    return near[0] if near and not re.match(rf'{near[0]}[_\d]', name) else None


def _is_used(cfg: Config, name: str) -> bool:
    """Tell whether the value of a variable stands anywhere else in a config."""
    value: Any = cfg[name]
    others = (node for path, node in entries(cfg) if path and path.split('.')[0] != name)
    return any(item == value for node in others for item in (node.values() if isinstance(node, dict) else node))
