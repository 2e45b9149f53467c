"""The topology losses of a config, by name, and what can be asked of losses before their files are there.

- Of the config of a distiller or a cohort: all its topology losses by :func:`topology_configs`, one by
  :func:`topology_config`, which says what is wrong if there is none.
- A loss that only answers, without its networks and files, is built by :func:`build_unloaded`; that of a config, by
  its name, by :func:`unloaded_loss`.
- Artifacts: that of one loss by :func:`topology_artifact`, those that commands have to make by
  :func:`artifacts_to_make`.
"""

from pathlib import Path
from typing import Any

from mmengine.config import Config

from topkd.artifacts.artifact import RipsNetArtifact
from topkd.models.build import build, component_class
from topkd.models.losses.topology_loss import TopologyLoss


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
    found = topology_configs(cfg.model)
    if name not in found:
        raise KeyError(
            f"model.losses has no topology loss '{name}' (it has: {', '.join(found) or 'none'}): name one of them "
            'by --loss, or a config of configs/topkd/'
        )
    return found[name]


def build_unloaded(config: dict) -> Any:
    """Build a loss to be asked what it taps and needs; its RipsNet, if it has one, is not read.

    Args:
        config (dict): Of any loss.

    Returns:
        DistillationLoss: The loss.

    Example:
        >>> build_unloaded(dict(type='TopologyLoss', vectorizer=dict(type='RipsNet'))).network.needs_artifact
        True
        >>> build_unloaded(dict(type='KDLoss')).teacher_tap
        'head.fc'
    """
    if not issubclass(component_class(config), TopologyLoss) or not isinstance(config.get('vectorizer'), dict):
        return build(config)
    vectorizer = dict(config['vectorizer'])
    checkpoint = vectorizer.pop('checkpoint', None)
    loss: TopologyLoss = build(dict(config, vectorizer=vectorizer))
    if checkpoint is not None and loss.network is not None:
        loss.network.checkpoint = Path(checkpoint)
    return loss


def unloaded_loss(cfg: Config, name: str = 'topology') -> TopologyLoss:
    """Build one topology loss of a distillation config as :func:`build_unloaded` does.

    Args:
        cfg (Config): A distillation config.
        name (str): Of the loss. Defaults to 'topology'.

    Raises:
        KeyError: If there is no such loss, see :func:`topology_config`.

    Example:
        >>> losses = dict(topology=dict(type='TopologyLoss', distance='sorted_deaths'))
        >>> unloaded_loss(Config(dict(model=dict(teacher={}, losses=losses)))).homology_dims
        (0,)
    """
    return build_unloaded(topology_config(cfg, name))


def topology_artifact(cfg: Config, name: str = 'topology') -> RipsNetArtifact:
    """Return the artifact that a topology loss of a distillation config needs.

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
        >>> topology_artifact(cfg).name
        'resnet56_cifar100_neck-0_n64_h0'
    """
    return unloaded_loss(cfg, name).artifact(cfg.model.teacher.get('name', 'teacher'), batch_size_of(cfg))


def artifacts_to_make(cfg: Config, teacher: str) -> dict[str, RipsNetArtifact]:
    """Return the artifacts of a config's topology losses that need a RipsNet and name no file of one, by loss.

    Args:
        cfg (Config): A distillation config.
        teacher (str): Name of its teacher.

    Example:
        >>> cloud, vectorizer = dict(type='BatchCloud', num_points=64), dict(type='RipsNet')
        >>> losses = dict(topology=dict(type='TopologyLoss', vectorizer=vectorizer, cloud=cloud))
        >>> artifacts_to_make(Config(dict(model=dict(losses=losses))), 'resnet56')['topology'].ripsnet.name
        'ripsnet.pth'
    """
    losses: dict[str, TopologyLoss] = {
        name: build_unloaded(config) for name, config in topology_configs(cfg.model).items()
    }
    return {
        name: loss.artifact(teacher, batch_size_of(cfg))
        for name, loss in losses.items()
        if loss.network is not None and loss.network.needs_artifact and loss.network.checkpoint is None
    }


def batch_size_of(cfg: Config) -> int | None:
    """Return the images of a training's batch, None if the config does not say.

    Example:
        >>> batch_size_of(Config(dict(train_dataloader=dict(batch_size=64))))
        64
    """
    return (cfg.get('train_dataloader') or {}).get('batch_size')
