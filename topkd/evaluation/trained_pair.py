"""A teacher and its trained student side by side: what every analysis starts from."""
from typing import Iterable, Iterator, NamedTuple, Optional, Sequence, Tuple

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.registry import MODELS
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader

from topkd.checkpoint import PREFIX, load_file, load_weights, student_state
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


def load_trained(model: nn.Module, checkpoint: str, student_only: bool = False) -> None:
    """Load a distillation's checkpoint, or one of the plain student, into a distiller.

    Args:
        model (nn.Module): A :class:`topkd.models.Distiller`.
        checkpoint (str): Written by this config or, for the student, by any that trains the same network: plain, KD, TopKD.
        student_only (bool): Whether to take no more than the student out of a distillation's checkpoint, so that
            the losses it was trained with may differ. Defaults to False.

    Raises:
        ValueError: Where the weights do not fit.
    """
    weights = load_file(checkpoint)
    weights = weights.get('state_dict', weights)
    whole = any(key.startswith(PREFIX) for key in weights)
    if whole and student_only:
        weights, whole = student_state(weights), False
    load_weights(model if whole else model.student, checkpoint, weights=weights)


def split_loader(cfg: Config, split: str) -> DataLoader:
    """Build a config's dataloader of a split, 'train' or 'test', shuffled by the config's seed where it is shuffled."""
    return Runner.build_dataloader(cfg[f'{split}_dataloader'], seed=cfg.get('randomness', {}).get('seed'))


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
