"""From a pair and a variant of it to the one config file that a run trains from."""

import re
import runpy
from pathlib import Path
from typing import Any

from mmengine.config import Config

from topkd.reproduction.tables import PLAIN, Variant
from topkd.utils.config import merge_cfg_options, read_config

# hooks of a distillation that a student without teacher has no use for
OF_DISTILLATION = ('TeacherEvaluationHook', 'StudentCheckpointHook', 'CategoryCheckHook', 'TopologyVisualizationHook')
# entries of a scheduler that are counted in epochs
EPOCHS = ('milestones', 'begin', 'end', 'T_max', 'step_size')


def pair_path(pair: str, configs: Path) -> Path:
    """Find a pair's config by its name, or by its path.

    Args:
        pair (str): Name of a file of ``configs/topkd`` without its ending, or the path of any distillation config.
        configs (Path): Folder of this package's configs.

    Raises:
        FileNotFoundError: If there is no such config.
    """
    named, given = configs / 'topkd' / f'{pair}.py', Path(pair)
    path = given if given.suffix == '.py' else named
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no pair '{pair}': name a file of '{named.parent}' without its ending, or give the path of "
            'a distillation config'
        )
    return path


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


def run_config(
    path: Path, variant: Variant, configs: Path, seed: int = 0, epochs: int | None = None, options: dict | None = None
) -> Config:
    """Make the config of one run.

    Args:
        path (Path): The pair's config.
        variant (Variant): What the run changes.
        configs (Path): Folder of this package's configs.
        seed (int): Random seed of the training. Defaults to 0.
        epochs (int, optional): Length of the training; the learning rate's schedule shrinks with it. None: the
            recipe's.
        options (dict, optional): As ``--cfg-options``.

    Returns:
        Config: Complete, without ``_base_``.
    """
    cfg = read_config(str(path))
    # options first: what a variant varies is not theirs to set
    merge_cfg_options(cfg, options)
    if variant.config == PLAIN:
        cfg = _plain(cfg)
    elif variant.method:
        cfg.model.losses = _method(configs, variant.method, cfg)
    elif variant.config:
        cfg.merge_from_dict(own_lines(configs / variant.config))
    if epochs is not None:
        shorten(cfg, epochs)
    cfg.randomness = dict(cfg.get('randomness', {}), seed=seed)
    return cfg


def _method(configs: Path, method: str, cfg: Config) -> dict[str, dict]:
    """Read the loss of a method, and tell it the training's batch size if it asks for one."""
    losses = {}
    for name, loss in read_config(str(configs / '_base_' / 'losses' / f'{method}.py')).items():
        if isinstance(loss, dict) and 'type' in loss:
            sizes = dict(batch_size=cfg.train_dataloader.batch_size) if 'batch_size' in loss else {}
            losses[name] = dict(loss, **sizes)
    return losses


def _plain(cfg: Config) -> Config:
    """Take teacher and losses out of a pair: its student's baseline is left."""
    content = cfg.to_dict()
    content['model'] = content['model']['student']
    content['custom_hooks'] = [
        hook for hook in content.get('custom_hooks', []) if hook['type'].split('.')[-1] not in OF_DISTILLATION
    ]
    for key in ('teacher', 'losses', 'distillation_hooks', 'clouds', 'ripsnet'):
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
    for scheduler in [schedulers] if isinstance(schedulers, dict) else schedulers:
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


def student_name(pair: str) -> str:
    """Return the name under which the plain students of pairs are shared, ``<student>_<dataset>``.

    A pair that is not named ``<teacher>-<student>_<dataset>`` keeps its own name.
    """
    match = re.fullmatch(r'(?P<detector>faster-rcnn_)?[^-]+-(?P<student>[^-_]+_.+)', pair)
    return f'{match["detector"] or ""}{match["student"]}' if match else pair
