"""How many points of which width a config's clouds have, known without weights, students or data."""

from collections.abc import Mapping
from typing import TypeVar

import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import nn

from topkd.artifacts.artifact import cloud_request
from topkd.models.losses.topology_loss import TopologyLoss
from topkd.models.tap import Taps, as_list, reach
from topkd.utils.config import read_config

PROBE = (3, 64, 64)
Loss = TypeVar('Loss')


def topology_config(cfg: Config, name: str = 'topology') -> dict:
    """Return the config of a topology loss of a distillation config.

    Raises:
        KeyError: If there is no teacher, or no topology loss of that name; the message lists those that there are.
    """
    if 'teacher' not in cfg.model:
        raise KeyError('the config has no teacher: name a distillation config, for example one of configs/topkd/')
    losses = {
        key: loss
        for key, loss in cfg.model.losses.items()
        if loss is not None and loss.type.split('.')[-1] == TopologyLoss.__name__
    }
    return named_loss(losses, name)


def named_loss(losses: Mapping[str, Loss], name: str) -> Loss:
    """Return one of the topology losses, or of their configs, by its name.

    Raises:
        KeyError: If there is none of that name; the message lists those that there are.
    """
    if name not in losses:
        raise KeyError(
            f"model.losses has no topology loss '{name}' (it has: {', '.join(losses) or 'none'}): name one of them "
            'by --loss, or a config of configs/topkd/'
        )
    return losses[name]


def cloud_size(cfg: Config, loss_name: str = 'topology') -> tuple[int, int]:
    """Find out the size of the teacher's clouds by building its network, without weights, and showing it a blank image.

    Args:
        cfg (Config): A distillation config.
        loss_name (str): Name of the topology loss. Defaults to 'topology'.

    Returns:
        tuple: Points of a cloud n, and their width d.

    Raises:
        KeyError: If the config has no teacher or no such loss.
    """
    asked = cloud_request(topology_config(cfg, loss_name))
    network = MODELS.build(_network_config(cfg.model.teacher))
    return images_of_cloud(cfg, asked['num_points']), tap_width(network, asked['tap'])


def images_of_cloud(cfg: Config, num_points: int | None, images_per_cloud: int | None = None) -> int:
    """Return how many images make a cloud.

    Args:
        cfg (Config): Any with ``train_dataloader``, whose batch is a cloud that states no size. The config is asked, because
            a dataloader with a batch sampler does not know its batch size.
        num_points (int, optional): Points that the cloud states.
        images_per_cloud (int, optional): Images that it states where they are not its points.
    """
    return images_per_cloud or num_points or cfg.train_dataloader.batch_size


@torch.no_grad()
def tap_width(network: nn.Module, taps: Taps) -> int:
    """Return the number of channels of a network's tap; of several, which must agree, that of the first.

    Args:
        network (nn.Module): A classifier or detector in the MMEngine style; it is left in eval mode.
        taps (str | Sequence[str]): See :func:`topkd.models.tap.parse_tap`.
    """
    features = reach(network.eval(), torch.zeros(1, *PROBE), as_list(taps))
    return features[as_list(taps)[0]].shape[1]


def _network_config(teacher: dict) -> dict:
    if teacher.get('config') is None:
        return teacher['model']
    loaded = read_config(teacher['config'])
    loaded.merge_from_dict(dict(teacher.get('cfg_options') or {}))
    return loaded.model
