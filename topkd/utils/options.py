"""``--cfg-options`` must name entries that the config has, or that whoever reads the config would take.

MMEngine's DictAction merges whatever it is given; nothing there knows who reads an entry.
"""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from inspect import signature
from numbers import Real
from typing import Any

from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner, TestLoop, ValLoop, set_random_seed
from torch.utils.data import DataLoader

from topkd.utils.error_context import entries
from topkd.utils.registered import argument_names, find_class


def _arguments(*functions: Any) -> set[str]:
    return {name for function in functions for name in signature(function).parameters if name != 'self'}


# top-level entries that MMEngine's runner, a tool or a hook reads; all others are variables of the config's own file
READ = (_arguments(Runner) - {'cfg'}) | {
    'data_root',
    'auto_scale_lr',
    'runner_type',
    'clouds',
    'ripsnet',
    'search_dataloader',
}
LOADER = _arguments(DataLoader) | {'batch_sampler', 'num_batch_per_epoch'}
# what the readers of dicts without a type take
TAKEN: dict[str, set[str]] = dict(
    train_cfg=_arguments(EpochBasedTrainLoop, IterBasedTrainLoop) | {'by_epoch', 'type'},
    val_cfg=_arguments(ValLoop) | {'type'},
    test_cfg=_arguments(TestLoop) | {'type'},
    train_dataloader=LOADER,
    val_dataloader=LOADER,
    test_dataloader=LOADER,
    search_dataloader=LOADER,
    optim_wrapper=_arguments(OptimWrapper) | {'type', 'constructor', 'paramwise_cfg', 'loss_scale', 'dtype'},
    randomness=_arguments(set_random_seed),
    auto_scale_lr={'base_batch_size', 'enable'},
)
# dicts whose keys are names that users choose, or whose readers refuse what they do not know
OPEN = {
    'losses',
    'members',
    'teacher',
    'default_hooks',
    'floor',
    'cfg_options',
    'custom_keys',
    'metainfo',
    'data_preprocessor',
    'collate_fn',
    'clouds',
    'ripsnet',
    'log_processor',
    'data_prefix',
    'filter_cfg',
    'backend_args',
    'paramwise_cfg',
}


def check_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Refuse options that would change nothing, or that put a value of another kind into an entry.

    Args:
        cfg (Config): The config as it was read from its file.
        options (Mapping): Values by dotted name.

    Raises:
        TypeError: If an entry holds a number, a switch or a dict and the option does not.
        ValueError: If nothing reads an entry of that name, or two options contradict each other.

    Example:
        >>> cfg = Config(dict(train_cfg=dict(by_epoch=True, max_epochs=240)))
        >>> check_options(cfg, {'train_cfg.max_epochs': 2, 'train_cfg.val_interval': 2})
        >>> check_options(cfg, {'train_cfg.max_epoch': 2})
        Traceback (most recent call last):
        ValueError: the option 'train_cfg.max_epoch' is read by nobody, did you mean 'train_cfg.max_epochs'?
    """
    for name, value in options.items():
        above = next((other for other in options if name.startswith(f'{other}.')), None)
        if above is not None and not isinstance(options[above], dict):
            raise ValueError(f"the options '{above}' and '{name}' contradict each other: give one of them")
        _check_top(cfg, name)
        _check_kind(name, _entry(cfg, name, options), value)


def _check_top(cfg: Config, name: str) -> None:
    """Refuse a top-level name that nobody reads."""
    top, _, rest = name.partition('.')
    if top in READ or 'runner_type' in cfg:
        return
    if top not in cfg:
        raise _unknown(name, rest and f'.{rest}', top, READ)
    value = cfg[top]
    places = [path for path, node in entries(cfg) if isinstance(value, dict) and node == value and path != top]
    instead = f"set '{places[0]}{rest and '.' + rest}' instead" if places else 'set the entries that were made of it'
    raise ValueError(
        f"the option '{name}' changes a variable of the config file, which nobody reads once that is evaluated: "
        f'{instead}, or change it in a config file'
    )


def _entry(cfg: Config, name: str, options: Mapping[str, Any]) -> Any:
    """Return the value that an option replaces, None if it adds an entry.

    Raises:
        ValueError: If nothing reads an entry of that name.
    """
    node: Any = cfg._cfg_dict
    parts = name.split('.')
    for depth, part in enumerate(parts):
        above = '.'.join(parts[:depth])
        if isinstance(node, list):
            if not part.isdecimal() or int(part) >= len(node):
                raise ValueError(
                    f"'{above}' is a list of {len(node)} entries, which have the numbers from 0, got '{part}': correct "
                    f"the option '{name}'"
                )
            node = node[int(part)]
        elif isinstance(node, dict) and part in node:
            node = node[part]
        elif isinstance(node, dict) and (f'{above}.type' in options or _takes(cfg, node, parts[:depth], part)):
            return None
        elif isinstance(node, dict):
            known = {*node, *TAKEN.get(above, ()), *(_constructor(cfg, node) or ())}
            raise _unknown(name, f'{".".join(["", *parts[depth + 1 :]])}', part, known, f'{above}.')
        else:
            raise ValueError(f"the option '{name}' has no place, as '{above}' is {node!r}: set it as a whole")
    return node


def _takes(cfg: Config, node: dict, above: list[str], part: str) -> bool:
    """Tell whether whoever reads a dict may take an entry that it does not hold."""
    if not above:
        return part in READ
    if len(above) == 1 and above[0] in TAKEN and 'type' not in node:
        return part in TAKEN[above[0]]
    if 'type' in node:
        names = _constructor(cfg, node)
        return names is None or part in names
    return above[-1] in OPEN or (len(above) > 1 and above[-2] == 'members')


def _constructor(cfg: Config, node: dict) -> set[str] | None:
    """Return the arguments of the class that a dict names, None if it takes any or is not known."""
    kind = find_class(node.get('type'), cfg.get('default_scope') or 'mmengine')
    names = None if kind is None else argument_names(kind)
    # a network is given its preprocessor by whoever builds it
    return None if names is None else names | {'data_preprocessor', '_scope_'}


def _check_kind(name: str, old: Any, new: Any) -> None:
    """Refuse a value of another kind than the entry holds; None switches anything off."""
    if old is None or new is None:
        return
    kinds: list[tuple[str, Any, Any]] = [
        ('True or False', bool, bool),
        ('a number', Real, (Real, list, tuple)),
        ('a dict', dict, (dict, list)),
    ]
    for expected, kind, taken in kinds:
        if isinstance(old, kind):
            if not isinstance(new, taken) or (isinstance(new, bool) and kind is not bool):
                shown = 'a dict' if kind is dict else repr(old)
                raise TypeError(f"the option '{name}' must be {expected}, as it is {shown} in the config, got {new!r}")
            return


def _unknown(name: str, tail: str, part: str, known: Collection[str], above: str = '') -> ValueError:
    """Say that nobody reads an option, and which name was meant."""
    near = get_close_matches(part, known, n=1)
    instead = (
        f", did you mean '{above}{near[0]}{tail}'?"
        if near
        else ': correct its name; what is meant to be new belongs into a config file'
    )
    return ValueError(f"the option '{name}' is read by nobody{instead}")
