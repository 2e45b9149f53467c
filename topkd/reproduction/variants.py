"""Variants of a pair, and the config of a run that each makes."""

import copy
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from topkd.utils.config import read_config

PLAIN = 'plain'
R56_R20 = 'resnet56-resnet20_cifar100'
# entries of a scheduler that are counted in epochs
EPOCHS = ('milestones', 'begin', 'end', 'T_max', 'step_size')

# hooks of a distillation that a student without teacher has no use for
OF_DISTILLATION = ('TeacherEvaluationHook', 'StudentCheckpointHook', 'CategoryCheckHook', 'TopologyVisualizationHook')


class Variant(NamedTuple):
    """A run of a pair.

    Attributes:
        name (str): Names its folder; the paper's numbers are filed under it.
        label (str): As printed.
        config (str): 'plain', the student without teacher; '', the pair itself; else a config below ``configs/`` whose
            own lines, apart from ``_base_``, are applied to the pair.
        method (str): A file of ``configs/_base_/losses`` whose loss takes the place of the pair's losses; '' for none.
    """

    name: str
    label: str
    config: str = ''
    method: str = ''

    @property
    def word(self) -> str:
        """str: The name as it is typed on a command line, in lower case without hyphens."""
        return self.name.lower().replace('-', '')

    @property
    def is_plain(self) -> bool:
        """bool: Whether the student learns without a teacher."""
        return self.config == PLAIN


def ablation(name: str, label: str) -> Variant:
    """Return the variant that a file of ``configs/ablations`` makes."""
    return Variant(name, label, f'ablations/{name}.py')


def methods(names: Sequence[str], suffix: str = '') -> tuple[Variant, ...]:
    """Return the variants of other methods, CE + the method alone.

    Args:
        names (Sequence[str]): As the paper names them; the file is the name in lower case without hyphens.
        suffix (str): Of the files, '_detection' for those of detectors.
    """
    return tuple(Variant(name, f'CE + {name}', method=f'{name.lower().replace("-", "")}{suffix}') for name in names)


STUDENT = Variant('plain', 'plain student (CE)', PLAIN)
KD = Variant('KD', 'CE + KD', f'kd/{R56_R20}.py')
TOPKD = Variant('TopKD', 'CE + KD + Top (TopKD)')
EXACT = Variant('exact', 'TopKD, exact images', f'topkd/{R56_R20}_exact.py')
SORTED = Variant('sorted-deaths', 'KD + sorted deaths', f'topkd/{R56_R20}_sorted-deaths.py')


def own_lines(path: Path) -> dict[str, Any]:
    """Return what a config of a few lines sets on top of its ``_base_``.

    Raises:
        ValueError: If the file needs its base to be read.
    """
    try:
        content = runpy.run_path(str(path))
    except (NameError, AttributeError) as error:
        raise ValueError(f"'{path}' cannot be applied to another pair, because it reads its base ({error})") from error
    return {key: value for key, value in content.items() if not key.startswith('_')}


def apply(variant: Variant, pair: Config, configs: Path) -> Config:
    """Make the config of a variant's run.

    Args:
        variant (Variant): What the run changes.
        pair (Config): Of the pair, with the options of the user: what a variant varies is not theirs to set. It is left
            as it is.
        configs (Path): Folder of this package's configs.

    Returns:
        Config: Complete, without ``_base_``.
    """
    cfg = Config(copy.deepcopy(pair.to_dict()))
    if variant.is_plain:
        return _plain(cfg)
    if variant.method:
        cfg.model.losses = _method(configs, variant.method, cfg)
    elif variant.config:
        cfg.merge_from_dict(own_lines(configs / variant.config))
    return cfg


def for_run(cfg: Config, seed: int, epochs: int | None = None) -> Config:
    """Set the seed and the length of a run, in place.

    Args:
        cfg (Config): Of a training.
        seed (int): Random seed.
        epochs (int, optional): Length; the learning rate's schedule shrinks with it. None: the config's.

    Returns:
        Config: The same ``cfg``.
    """
    if epochs is not None:
        shorten(cfg, epochs)
    cfg.randomness = dict(cfg.get('randomness', {}), seed=seed)
    return cfg


def _method(configs: Path, method: str, cfg: Config) -> dict[str, dict]:
    """Read the loss of a method for the config's pair, and tell it the training's batch size if it asks for one."""
    content = read_config(str(configs / '_base_' / 'losses' / f'{method}.py'))
    losses = {}
    for name, loss in content.items():
        if isinstance(loss, dict) and 'type' in loss:
            # what is published for this pair stands in a table beside the loss
            chosen = content.get(f'{name}_of', {}).get(cfg.get('pair'), loss)
            sizes = dict(batch_size=cfg.train_dataloader.batch_size) if 'batch_size' in chosen else {}
            losses[name] = dict(chosen, **sizes)
    return losses


def _plain(cfg: Config) -> Config:
    """Take teacher and losses out of a pair: its student's baseline is left."""
    content = cfg.to_dict()
    content['model'] = content['model']['student']
    content['custom_hooks'] = [
        hook for hook in content.get('custom_hooks', []) if hook['type'].split('.')[-1] not in OF_DISTILLATION
    ]
    for key in ('pair', 'teacher', 'losses', 'distillation_hooks', 'clouds', 'ripsnet'):
        content.pop(key, None)
    return Config(content)


def shorten(cfg: Config, epochs: int) -> None:
    """Train for another number of epochs, in place, with drops of the learning rate at the same shares of it.

    Raises:
        ValueError: If the config does not count epochs.
    """
    if 'max_epochs' not in cfg.get('train_cfg', {}):
        raise ValueError(
            '--epochs needs a config that trains by epochs (train_cfg.max_epochs): change its length by --cfg-options'
        )
    share = epochs / cfg.train_cfg.max_epochs
    cfg.train_cfg.max_epochs = epochs
    cfg.train_cfg.val_interval = min(cfg.train_cfg.get('val_interval', 1), epochs)
    schedulers = cfg.get('param_scheduler') or []
    all_schedulers: list[Any] = [schedulers] if isinstance(schedulers, dict) else schedulers
    for scheduler in all_schedulers:
        if scheduler.get('by_epoch', True):
            for key in EPOCHS:
                if scheduler.get(key) is not None:
                    scheduler[key] = _scaled(scheduler[key], share, least=0 if key == 'begin' else 1)
            if scheduler.get('end') is not None:
                scheduler.end = max(scheduler.end, scheduler.get('begin', 0) + 1)


def _scaled(value: Any, share: float, least: int) -> Any:
    if isinstance(value, (list, tuple)):
        return [_scaled(item, share, least) for item in value]
    return max(least, round(value * share))
