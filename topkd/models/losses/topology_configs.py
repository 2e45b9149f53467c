"""Find topology losses among a distiller's losses or in a config, and build losses and artifacts from configs.

- Found: :func:`topology_losses` and :func:`named_topology_loss` in a distiller, :func:`topology_configs` and
  :func:`topology_config` in a config.
- Built from a config, without its networks and files: losses by :func:`topology_loss_of`, :func:`without_files` and
  :func:`losses_without_files`, their artifacts by :func:`artifact_of` and :func:`made_artifacts`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from mmengine.config import Config
from torch import nn

from topkd.artifacts.artifact import RipsNetArtifact
from topkd.models.build import build, component_class
from topkd.models.losses.distillation_loss import DistillationLoss
from topkd.models.losses.topology_loss import TopologyLoss

Loss = TypeVar('Loss')


def topology_losses(losses: Mapping[str, nn.Module]) -> dict[str, TopologyLoss]:
    """Return those of a distiller's losses that compare topology, by name.

    Example:
        >>> from topkd.models import KDLoss
        >>> list(topology_losses(dict(kd=KDLoss(), topology=TopologyLoss())))
        ['topology']
    """
    return {name: loss for name, loss in losses.items() if isinstance(loss, TopologyLoss)}


def named_topology_loss(losses: Mapping[str, nn.Module], name: str = 'topology') -> TopologyLoss:
    """Return one of a distiller's topology losses.

    Raises:
        KeyError: If there is none of that name; the message lists those that there are.

    Example:
        >>> named_topology_loss(dict(topology=TopologyLoss(distance='rtd_lite'))).distance
        'rtd_lite'
    """
    return _named(topology_losses(losses), name)


def topology_config(cfg: Config, name: str = 'topology') -> dict:
    """Return the config of a topology loss of a distillation config.

    Args:
        cfg (Config): A distillation config.
        name (str): Of the loss. Defaults to 'topology'.

    Raises:
        KeyError: If there is no teacher, or no topology loss of that name; the message lists those that there are.

    Example:
        >>> losses = dict(topology=dict(type='TopologyLoss', loss_weight=3.0))
        >>> topology_config(Config(dict(model=dict(teacher={}, losses=losses)))).loss_weight
        3.0
    """
    if 'teacher' not in cfg.model:
        raise KeyError('the config has no teacher: name a distillation config, for example one of configs/topkd/')
    return _named(topology_configs(cfg.model), name)


def topology_loss_of(cfg: Config, name: str = 'topology') -> TopologyLoss:
    """Build a topology loss of a distillation config without reading its RipsNet, to be asked what it needs.

    Args:
        cfg (Config): A distillation config.
        name (str): Of the loss. Defaults to 'topology'.

    Raises:
        KeyError: If there is no such loss, see :func:`topology_config`.

    Example:
        >>> cfg = Config(dict(model=dict(teacher={}, losses=dict(topology=dict(type='TopologyLoss')))))
        >>> topology_loss_of(cfg).cloud.request()
        {'cloud': 'BatchCloud', 'num_points': None, 'normalization': 'none'}
    """
    return without_files(topology_config(cfg, name))


def artifact_of(cfg: Config, name: str = 'topology') -> RipsNetArtifact:
    """Return the artifact that a distillation config's topology loss needs.

    Args:
        cfg (Config): A distillation config.
        name (str): Of the loss. Defaults to 'topology'.

    Raises:
        KeyError: If there is no such loss, see :func:`topology_config`.
        ValueError: If the loss compares no images.

    Example:
        >>> loss = dict(
        ...     type='TopologyLoss', vectorizer=dict(type='RipsNet'), cloud=dict(type='BatchCloud', num_points=64)
        ... )
        >>> cfg = Config(dict(model=dict(teacher=dict(name='resnet56_cifar100'), losses=dict(topology=loss))))
        >>> artifact_of(cfg).name
        'resnet56_cifar100_neck-0_n64_h0'
    """
    batch_size = cfg.get('train_dataloader', {}).get('batch_size')
    return topology_loss_of(cfg, name).artifact(cfg.model.teacher.get('name', 'teacher'), batch_size)


def without_files(config: dict) -> TopologyLoss:
    """Build a topology loss whose RipsNet, if it has one, is not read.

    Args:
        config (dict): Of the loss.

    Example:
        >>> without_files(dict(type='TopologyLoss', vectorizer=dict(type='RipsNet'))).network.needs_artifact
        True
    """
    if not isinstance(config.get('vectorizer'), dict):
        return build(config)
    vectorizer = dict(config['vectorizer'])
    checkpoint = vectorizer.pop('checkpoint', None)
    loss: TopologyLoss = build(dict(config, vectorizer=vectorizer))
    if checkpoint is not None and loss.network is not None:
        loss.network.checkpoint = Path(checkpoint)
    return loss


def losses_without_files(configs: Mapping[str, dict | None]) -> dict[str, DistillationLoss]:
    """Build losses to be asked what they tap, without reading files.

    Args:
        configs (Mapping): Configs by name; None is left out.

    Example:
        >>> losses_without_files(dict(kd=dict(type='KDLoss'), topology=None))['kd'].teacher_tap
        'head.fc'
    """
    return {
        name: without_files(config) if issubclass(component_class(config), TopologyLoss) else build(config)
        for name, config in configs.items()
        if config is not None
    }


def topology_configs(model: dict) -> dict[str, dict]:
    """Return the configs of a distiller's topology losses by name.

    Args:
        model (dict): Config of a :class:`topkd.models.Distiller`, or of a :class:`topkd.models.Cohort`, whose losses
            are called ``<member>.<loss>``.

    Example:
        >>> losses = dict(kd=dict(type='KDLoss'), topology=dict(type='TopologyLoss'))
        >>> topology_configs(dict(members=dict(ours=dict(losses=losses), plain=dict(losses={}))))
        {'ours.topology': {'type': 'TopologyLoss'}}
    """
    found = dict(model.get('losses') or {})
    for member, config in (model.get('members') or {}).items():
        found.update({f'{member}.{name}': loss for name, loss in config.get('losses', {}).items()})
    return {
        name: config
        for name, config in found.items()
        if config is not None and issubclass(component_class(config), TopologyLoss)
    }


def made_artifacts(cfg: Config, teacher: str) -> dict[str, RipsNetArtifact]:
    """Return the artifacts that a distillation config's losses need and have no file of their own for, by loss.

    Args:
        cfg (Config): A distillation config.
        teacher (str): Name of its teacher.

    Example:
        >>> cloud, vectorizer = dict(type='BatchCloud', num_points=64), dict(type='RipsNet')
        >>> losses = dict(topology=dict(type='TopologyLoss', vectorizer=vectorizer, cloud=cloud))
        >>> made_artifacts(Config(dict(model=dict(losses=losses))), 'resnet56')['topology'].ripsnet.name
        'ripsnet.pth'
    """
    losses = {name: without_files(config) for name, config in topology_configs(cfg.model).items()}
    return {
        name: loss.artifact(teacher)
        for name, loss in losses.items()
        if loss.network is not None and loss.network.needs_artifact and loss.network.checkpoint is None
    }


def image_dims(loss: TopologyLoss) -> tuple[int, ...]:
    """Return the homology dimensions of a loss's images, (0, ) if it compares none.

    Example:
        >>> image_dims(TopologyLoss(vectorizer=dict(type='RipsImage', homology_dims=(0, 1))))
        (0, 1)
    """
    return (0,) if loss.network is None else loss.network.homology_dims


def _named(found: Mapping[str, Loss], name: str) -> Loss:
    if name not in found:
        raise KeyError(
            f"model.losses has no topology loss '{name}' (it has: {', '.join(found) or 'none'}): name one of them "
            'by --loss, or a config of configs/topkd/'
        )
    return found[name]
