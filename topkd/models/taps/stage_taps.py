"""The taps of every network: stem, stage outputs, pre-activations, pooled vector and logits."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import nn


class StageTaps(NamedTuple):
    """Taps of one network, from shallow to deep; see :func:`topkd.models.taps.tap.tap` for their syntax.

    Attributes:
        stem (str): The first feature map, the CRD benchmark's f0.
        maps (tuple[str, ...]): Outputs of the stages, the benchmark's f1, f2, and so on, without f0.
        pre_activation (tuple[str, ...] | None): The same stages before their last ReLU, None if it cannot be tapped.
        last_map (str): The map whose average is the classifier's input.
        pooled (str): The classifier's input (N, C).
        logits (str): The classifier's output (N, K).
        last_bn (tuple[str, ...] | None): Module paths of the batch normalizations before ``pre_activation``, for the
            margins of OFD. None if no single one makes the whole map.
    """

    stem: str
    maps: tuple[str, ...]
    pre_activation: tuple[str, ...] | None
    last_map: str = 'backbone[0]'
    pooled: str = 'neck[0]'
    logits: str = 'head.fc'
    last_bn: tuple[str, ...] | None = None


def _layers(count: int, suffix: str = '') -> tuple[str, ...]:
    return tuple(f'backbone.layer{number}{suffix}' for number in range(1, count + 1))


# '-1' is the last block of a stage, so that a network's depth does not matter
STAGE_TAPS: dict[str, StageTaps] = dict(
    CIFARResNet=StageTaps('backbone.stem', _layers(3), _layers(3, '.-1.relu(0)'), last_bn=_layers(3, '.-1.bn2')),
    CIFARResNet50=StageTaps('backbone.stem', _layers(4), _layers(4, '.-1.relu(0)'), last_bn=_layers(4, '.-1.bn3')),
    # pre-activation blocks: a stage's output is normalized at the entry of the next one
    CIFARWideResNet=StageTaps(
        'backbone.stem',
        _layers(3),
        ('backbone.layer2.0.bn1', 'backbone.layer3.0.bn1', 'backbone.final.bn'),
        last_bn=('backbone.layer2.0.bn1', 'backbone.layer3.0.bn1', 'backbone.final.bn'),
    ),
    CIFARVGG=StageTaps('backbone.stem', _layers(4), _layers(4, '.-2'), last_bn=_layers(4, '.-2')),
    # stages end in a linear projection: there is no ReLU to come before
    CIFARMobileNetV2=StageTaps('backbone.stem', _layers(4), _layers(4), last_bn=_layers(4, '.-1.-1.bn3')),
    # no teachers of OFD in the benchmark: not every channel of their maps comes from one normalization
    CIFARShuffleNetV1=StageTaps('backbone.stem', _layers(3), _layers(3, '.-1.relu(0)')),
    CIFARShuffleNetV2=StageTaps('backbone.stem', _layers(3), _layers(3, '.-1.relu(0)')),
    # mmpretrain's: one ReLU runs several times a block, and the last normalization, bn2 or bn3, stands before it
    ResNet=StageTaps('backbone.maxpool', _layers(4), _layers(4, '.-1.relu(0):last'), last_bn=_layers(4, '.-1.-3')),
    MobileNetV2=StageTaps(
        'backbone.conv1',
        tuple(f'backbone.layer{number}' for number in (2, 3, 5, 7)),
        tuple(f'backbone.layer{number}' for number in (2, 3, 5, 7)),
        last_bn=tuple(f'backbone.layer{number}.-1.conv.-1.bn' for number in (2, 3, 5, 7)),
    ),
)


def backbone_name(network: nn.Module) -> str:
    """Return the class of a network's backbone, by which the table knows it; of one without a backbone, its own.

    Example:
        >>> backbone_name(nn.Linear(2, 3))
        'Linear'
    """
    return type(getattr(network, 'backbone', network)).__name__


def stage_taps(backbone: str | Mapping[str, Any]) -> StageTaps:
    """Return the taps of a network.

    Args:
        backbone (str | Mapping): Type of the backbone with or without its scope ('topkd.CIFARResNet', 'ResNet'), its
            config, or the config of a classifier with this backbone.

    Returns:
        StageTaps: The network's taps.

    Raises:
        KeyError: If the network is not in the table.

    Example:
        >>> stage_taps(dict(type='topkd.CIFARVGG', depth=8)).maps[-1]
        'backbone.layer4'
        >>> stage_taps('CIFARResNet').pre_activation[0]
        'backbone.layer1.-1.relu(0)'

    Source: the lists of features and ``get_bn_before_relu`` in HobbitLong/RepDistiller, models/.
    """
    while isinstance(backbone, Mapping):
        backbone = backbone['backbone'] if 'backbone' in backbone else backbone['type']
    name = backbone.split('.')[-1]
    if name not in STAGE_TAPS:
        raise KeyError(f'stage taps are known of {", ".join(STAGE_TAPS)}, got {name}: name the taps in the loss config')
    return STAGE_TAPS[name]
