"""Variants of a pair, and the config of a run that each makes."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config

from topkd.reproduction.own_lines import apply_file

PLAIN = 'plain'
R56_R20, R101_R18 = 'resnet56-resnet20_cifar100', 'faster-rcnn_r101-r18_coco'
# entries of a scheduler that are counted in epochs
EPOCHS = ('milestones', 'begin', 'end', 'T_max', 'step_size')

# hooks of a distillation that a student without teacher has no use for
OF_DISTILLATION = ('TeacherEvaluationHook', 'StudentCheckpointHook', 'CategoryCheckHook', 'TopologyVisualizationHook')


class Variant(NamedTuple):
    """A run of a pair.

    Attributes:
        name (str): Names its folder; the paper's numbers are filed under it.
        label (str): As printed.
        config (str): 'plain', the student without teacher; '', the pair itself; else a config below ``configs/`` with
            ``{pair}`` in its name, whose own lines are applied to the pair.
        model (str): The pair whose config is applied to those that have none of their own.
    """

    name: str
    label: str
    config: str = ''
    model: str = R56_R20

    @property
    def word(self) -> str:
        """str: The name as it is typed on a command line, in lower case without hyphens."""
        return word_of(self.name)

    @property
    def is_plain(self) -> bool:
        """bool: Whether the student learns without a teacher."""
        return self.config == PLAIN

    def file(self, configs: Path, pair: str) -> Path:
        """Return the config that makes the variant of a pair.

        Args:
            configs (Path): Folder of this package's configs.
            pair (str): Name of the pair.
        """
        own = configs / self.config.format(pair=pair)
        return own if own.is_file() else configs / self.config.format(pair=self.model)


def ablation(name: str, label: str) -> Variant:
    """Return the variant that a file of ``configs/ablations`` makes."""
    return Variant(name, label, f'ablations/{name}.py')


def methods(names: Sequence[str], model: str = R56_R20) -> tuple[Variant, ...]:
    """Return the variants of other methods, CE + the method alone.

    Args:
        names (Sequence[str]): As the paper names them; the file is the name in lower case without hyphens.
        model (str): The pair whose configs are applied to those that have none of their own.
    """
    return tuple(Variant(name, f'CE + {name}', f'methods/{word_of(name)}_{{pair}}.py', model) for name in names)


def word_of(name: str) -> str:
    """Return a method's name as it is typed on a command line and stands in names of files."""
    return name.lower().replace('-', '')


STUDENT = Variant('plain', 'plain student (CE)', PLAIN)
KD = Variant('KD', 'CE + KD', 'kd/{pair}.py')
TOPKD = Variant('TopKD', 'CE + KD + Top (TopKD)')
EXACT = Variant('exact', 'TopKD, exact images', 'topkd/{pair}_exact.py')
SORTED = Variant('sorted-deaths', 'KD + sorted deaths', 'topkd/{pair}_sorted-deaths.py')


def apply(variant: Variant, pair: Config, configs: Path, seed: int = 0, epochs: int | None = None) -> Config:
    """Make the config of a run of a variant.

    Args:
        variant (Variant): What the run changes.
        pair (Config): Of the pair, with the options of the user: what a variant varies is not theirs to set. It is left
            as it is.
        configs (Path): Folder of this package's configs.
        seed (int): Random seed. Defaults to 0.
        epochs (int, optional): See :func:`for_run`.

    Returns:
        Config: Complete, without ``_base_``.
    """
    cfg = Config(copy.deepcopy(pair.to_dict()))
    if variant.is_plain:
        cfg = _plain(cfg)
    elif variant.config:
        apply_file(variant.file(configs, cfg.get('pair', '')), cfg)
    return for_run(cfg, seed, epochs)


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
