"""The taps of every network: stem, stage outputs, pre-activations, pooled vector and logits."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import nn

from topkd.models.detector_taps import DetectorTaps, detector_taps
from topkd.models.tap import Taps


class StageTaps(NamedTuple):
    """Taps of one network, from shallow to deep; see :func:`topkd.models.tap.tap` for their syntax.

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
    # mmpretrain's: their ReLU works in place and runs several times a block, so that what comes before it is lost
    ResNet=StageTaps('backbone.maxpool', _layers(4), None),
    MobileNetV2=StageTaps(
        'backbone.conv1',
        tuple(f'backbone.layer{number}' for number in (2, 3, 5, 7)),
        tuple(f'backbone.layer{number}' for number in (2, 3, 5, 7)),
        last_bn=tuple(f'backbone.layer{number}.-1.conv.-1.bn' for number in (2, 3, 5, 7)),
    ),
)


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


def resolve_taps(taps: Taps, network: nn.Module) -> Taps:
    """Replace names such as ``@maps`` by what they are in a network.

    ``@stem``, ``@maps``, ``@pre_activation``, ``@last_map``, ``@pooled`` and ``@logits`` stand for the entries of
    :class:`StageTaps`, ``@maps[1]`` for one of several; ``@pyramid``, ``@class_logits`` and ``@objectness`` for those
    of :class:`topkd.models.detector_taps.DetectorTaps`. So one config of a loss serves every pair of networks.

    Args:
        taps (str | Sequence[str]): One tap or several, named or written out.
        network (nn.Module): A classifier with a ``backbone``, or a detector.

    Returns:
        str | list[str]: One path where one tap was given that is one; a list otherwise.

    Raises:
        KeyError: If the network is not in the table, or there is no such name.
        ValueError: If the network has no such taps.
    """
    if isinstance(taps, str):
        return _resolve(taps, network)
    found = [_resolve(tap, network) for tap in taps]
    return [path for tap in found for path in ([tap] if isinstance(tap, str) else tap)]


def _resolve(tap: str, network: nn.Module) -> str | list[str]:
    if not tap.startswith('@'):
        return tap
    match = re.fullmatch(r'@(\w+)(?:\[(-?\d+)\])?', tap)
    known = (*StageTaps._fields, *DetectorTaps._fields)
    if match is None or match[1] not in known:
        raise KeyError(f"a tap with @ is one of {', '.join('@' + name for name in known)}, got '{tap}'")
    of_detector = match[1] in DetectorTaps._fields
    name = type(network if of_detector else getattr(network, 'backbone', network)).__name__
    found = getattr(detector_taps(network) if of_detector else stage_taps(name), match[1])
    if found is None:
        raise ValueError(f"a {name} has no taps '{tap}': name the taps in the loss config, or choose another method")
    if match[2] is not None:
        return found[int(match[2])]
    return found if isinstance(found, str) else list(found)
