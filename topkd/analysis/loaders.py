"""A config's distiller and its data: what every analysis starts from."""

import copy

from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import MODELS
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from topkd.utils.config import with_preprocessor


def build_pair(cfg: Config) -> nn.Module:
    """Build a config's distiller on the device, in eval mode; its teacher is loaded, its student is not.

    Raises:
        KeyError: If the config distils nothing.
    """
    if 'teacher' not in cfg.model:
        raise KeyError('the config has no teacher: name a distillation config, for example one of configs/topkd/')
    return MODELS.build(with_preprocessor(cfg.model, cfg)).to(get_device()).eval()


def split_config(cfg: Config, split: str, augment: bool = False) -> dict:
    """Return a copy of a config's dataloader of a split.

    Args:
        cfg (Config): With ``train_dataloader`` and ``test_dataloader``.
        split (str): 'train' or 'test'.
        augment (bool): Whether the training images come as in training. Otherwise they go through the test split's pipeline,
            where both data sets have one; in-memory data sets have none, their preprocessor augments. Defaults to False.
    """
    config = copy.deepcopy(cfg[f'{split}_dataloader'])
    plain = (cfg.get('test_dataloader') or {}).get('dataset', {}).get('pipeline')
    if not augment and plain is not None and config.dataset.get('pipeline') is not None:
        config.dataset.pipeline = copy.deepcopy(plain)
    return config


def split_loader(cfg: Config, split: str, augment: bool = False, seed: int | None = None) -> DataLoader:
    """Build a config's dataloader of a split, see :func:`split_config`, shuffled by a seed (default: the config's) if at all."""
    seed = cfg.get('randomness', {}).get('seed') if seed is None else seed
    return Runner.build_dataloader(split_config(cfg, split, augment), seed=seed)
