"""How many points of which width a config's clouds have, known without weights, students or data."""

import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import nn

from topkd.models.losses.topology_configs import unloaded_loss
from topkd.models.probe_image import blank_image
from topkd.models.taps.tap import Taps, as_list, reach
from topkd.models.taps.tap_names import TapNames
from topkd.models.teacher import teacher_config
from topkd.utils.config import without_weights


def cloud_size(cfg: Config, loss_name: str = 'topology') -> tuple[int, int]:
    """Find out the size of the teacher's clouds by building its network, without weights, and showing it a blank image.

    Args:
        cfg (Config): A distillation config.
        loss_name (str): Name of the topology loss. Defaults to 'topology'.

    Returns:
        tuple: Points of a cloud n, and their width d.

    Raises:
        KeyError: If the config has no teacher or no such loss.

    Example:
        >>> network = dict(type='mmpretrain.ImageClassifier', backbone=dict(type='topkd.CIFARResNet', depth=20))
        >>> loss = dict(type='TopologyLoss', cloud=dict(type='BatchCloud', num_points=32), student_tap='backbone[0]')
        >>> cloud_size(Config(dict(model=dict(teacher=dict(model=network), losses=dict(topology=loss)))))
        (32, 64)
    """
    loss = unloaded_loss(cfg, loss_name)
    network = MODELS.build(without_weights(teacher_config(cfg.model.teacher)))
    # the config is asked, because a dataloader with a batch sampler does not know its batch size
    return loss.cloud.num_points or cfg.train_dataloader.batch_size, tap_width(network, loss.teacher_tap)


@torch.no_grad()
def tap_width(network: nn.Module, taps: Taps) -> int:
    """Return the number of channels of a network's tap; of several, which must agree, that of the first.

    Args:
        network (nn.Module): A classifier or detector in the MMEngine style; it is left in eval mode.
        taps (str | Sequence[str]): See :func:`topkd.models.taps.tap.tap`.

    Example:
        >>> network = dict(type='mmpretrain.ImageClassifier', backbone=dict(type='topkd.CIFARResNet', depth=20))
        >>> tap_width(MODELS.build(network), 'backbone.layer2')
        32
    """
    image = blank_image(None, network)
    paths = as_list(TapNames(network.eval(), image).resolve(taps))
    return reach(network, image, paths)[paths[0]].shape[1]
