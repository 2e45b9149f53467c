"""A teacher and its trained student side by side: what every analysis starts from."""
import copy
from typing import Iterable, Iterator, NamedTuple, Optional, Sequence, Tuple

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import MODELS
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader

from topkd.config import with_preprocessor
from topkd.models.losses.distillation_loss import Features
from topkd.models.losses.topology_loss import TopologyLoss
from topkd.models.tap import as_list, pick, reach


class PairFeatures(NamedTuple):
    """What teacher and student made of one batch of images."""
    student: Features
    teacher: Features
    data_samples: Sequence


def build_pair(cfg: Config) -> nn.Module:
    """Build a config's distiller on the device, in eval mode; its teacher is loaded, its student is not.

    Raises:
        KeyError: Where the config distils nothing.
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


def split_loader(cfg: Config, split: str, augment: bool = False, seed: Optional[int] = None) -> DataLoader:
    """Build a config's dataloader of a split, see :func:`split_config`, shuffled by a seed (default: the config's) if at all."""
    seed = cfg.get('randomness', {}).get('seed') if seed is None else seed
    return Runner.build_dataloader(split_config(cfg, split, augment), seed=seed)


@torch.no_grad()
def pair_features(model: nn.Module, loss: TopologyLoss, batches: Iterable[dict], limit: Optional[int] = None,
                  augment: bool = False) -> Iterator[PairFeatures]:
    """Run both networks over batches, and yield what they show at the taps of a loss.

    Args:
        model (nn.Module): A :class:`topkd.models.Distiller` in eval mode.
        loss (TopologyLoss): Names the taps.
        batches (Iterable[dict]): As a dataloader makes them.
        limit (int, optional): Number of batches; None for all.
        augment (bool): Whether the preprocessor treats the images as in training. Defaults to False.
    """
    for number, batch in enumerate(batches):
        if number == limit:
            break
        data = model.data_preprocessor(batch, augment)
        student = reach(model.student, data['inputs'], as_list(loss.student_tap))
        teacher = model.teacher.features(data['inputs'], as_list(loss.teacher_tap), model.data_preprocessor,
                                         data['data_samples'])
        yield PairFeatures(pick(student, loss.student_tap), pick(teacher, loss.teacher_tap), data['data_samples'])


def pair_clouds(model: nn.Module, loss: TopologyLoss, batches: Iterable[dict], limit: Optional[int] = None,
                augment: bool = False) -> Iterator[Tuple[Tensor, Tensor]]:
    """Yield the clouds (B, n, d) of student and teacher that a topology loss compares, batch by batch.

    The student's are projected to the teacher's width where the loss does so; for the arguments see :func:`pair_features`.
    """
    for features in pair_features(model, loss, batches, limit, augment):
        with torch.no_grad():
            yield loss.clouds(*features)
