"""Conversion of checkpoints of other projects; a file is refused unless every weight finds its place."""

import copy
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
import torchvision
from mmengine.registry import init_default_scope
from torch import Tensor, nn

from topkd.models.backbones import NETWORKS, benchmark_key
from topkd.models.vectorizers import OPERATORS, RipsNet
from topkd.registry import MODELS
from topkd.utils.checkpoint import load_file, not_finite, save_file
from topkd.utils.config import read_config, without_weights
from topkd.utils.foreign_checkpoint import read_foreign, split_weights
from topkd.utils.prefixes import renamed
from topkd.utils.student_export import plain_config

RIPSNET = 'ripsnet'
COUNTER = 'num_batches_tracked'
# torchvision's networks by the names of the configs; mmpretrain's ResNet gives its parameters the same names
TORCHVISION = {f'resnet{depth}_imagenet': f'resnet{depth}' for depth in (18, 34, 50, 101, 152)}
KNOWN = (*NETWORKS, *TORCHVISION)
LISTED = 30  # names of a kind in one message; more of them say no more than 'another network'


class Layout(NamedTuple):
    """What a source must hold: for each name in the file, our name and an empty tensor of the right shape."""

    network: str
    entries: dict[str, tuple[str, Tensor]]


def convert_checkpoint(source: str, destination: str, network: str | None = None, operator: str = 'mean') -> dict:
    """Convert a file and write the result, completely or not at all.

    Args:
        source (str): A checkpoint of RepDistiller, mdistiller, pytorch-cifar-models, torchvision or TopKD; or an
            address, such as ``torchvision://resnet34``, that is downloaded.
        destination (str): Where to write; an existing file is replaced at the very end.
        network (str, optional): A name of ``KNOWN`` or 'ripsnet'. None: recognized from names and shapes.
        operator (str): ``'mean'`` or ``'sum'``, what a RipsNet was trained with. Defaults to 'mean'.

    Returns:
        dict: ``meta`` of the written file.

    Raises:
        FileNotFoundError: If the source does not exist.
        ValueError: If the source is no checkpoint, or a weight has no place or is missing.
        OSError: If the destination cannot be written.
    """
    content = _download(source) if '://' in source else read_foreign(source)
    try:
        converted = convert(content, network, operator)
    except ValueError as error:
        raise ValueError(f"'{source}': {error}") from error
    broken = not_finite(converted['state_dict'])
    if broken:
        raise ValueError(
            f"'{source}' must hold finite weights, got nan or inf in {_names(broken)}: name a checkpoint of a training "
            'that did not diverge'
        )
    converted['meta']['converted_from'] = os.path.basename(source)
    try:
        save_file(converted, destination)
    except OSError as error:
        if error.errno is None:  # explained already
            raise
        raise OSError(f"cannot write '{destination}' ({error.strerror}): choose another folder") from error
    return converted['meta']


def convert_to_config(
    source: str, destination: str, config: str, strip: str | None = None, add: str | None = None
) -> dict:
    """Give a state dict of the same network the names of a config's network, completely or not at all.

    Args:
        source (str): A state dict whose names begin otherwise, alone or below ``model``, ``model_s`` or ``state_dict``.
        destination (str): Where to write; an existing file is replaced at the very end.
        config (str): Config of the network, or of a distillation whose student it is.
        strip (str, optional): See :func:`topkd.utils.prefixes.renamed`.
        add (str, optional): The same.

    Returns:
        dict: ``meta`` of the written file; ``prefixes`` says which beginnings were replaced.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a weight has no place, is missing or has another shape.
    """
    cfg = plain_config(read_config(config))
    init_default_scope(cfg.get('default_scope') or 'mmengine')
    expected = MODELS.build(without_weights(cfg.model)).state_dict()
    weights, recorded = split_weights(_download(source) if '://' in source else read_foreign(source))
    try:
        state, used = renamed(weights, expected, strip, add)
    except ValueError as error:
        raise ValueError(f"'{source}': {error}") from error
    prefixes = [f"'{one.strip}' -> '{one.add}' ({one.weights})" for one in used]
    meta = dict(
        network=os.path.splitext(os.path.basename(config))[0],
        recorded=recorded,
        prefixes=prefixes,
        converted_from=os.path.basename(source),
    )
    save_file(dict(state_dict=state, meta=meta), destination)
    return meta


def convert(content: Mapping[str, Any], network: str | None = None, operator: str = 'mean') -> dict:
    """Convert the content of a checkpoint file.

    Args:
        content (Mapping): See :func:`split_weights`.
        network (str, optional): See :func:`convert_checkpoint`.
        operator (str): See :func:`convert_checkpoint`.

    Returns:
        dict: ``state_dict`` that loads strictly in the ImageClassifier of ``configs/baselines`` (or in RipsNet, then
        with ``in_channels``, ``units`` and ``operator`` beside it), and ``meta``.

    Raises:
        ValueError: If a weight has no place or is missing; the message lists them with their shapes.
    """
    if network not in (None, RIPSNET, *KNOWN):
        raise ValueError(f"unknown network '{network}': choose one of {', '.join((*KNOWN, RIPSNET))}")
    if operator not in OPERATORS:
        raise ValueError(f"the operator of a RipsNet must be 'mean' or 'sum', got '{operator}': correct --operator")
    weights, recorded = split_weights(content)
    if network == RIPSNET or (network is None and 'layer1.linear.weight' in weights):
        return _convert_ripsnet(weights, recorded, operator)
    layout = _classifier_layout(network, weights) if network else _recognize(weights)
    state = _fill(layout, weights)
    meta = dict(network=layout.network, num_classes=len(state['head.fc.bias']), recorded=recorded)
    return dict(state_dict=state, meta=meta)


def _download(source: str) -> dict:
    """Fetch a checkpoint from an address, or from a name that MMEngine knows."""
    try:
        return load_file(source)
    except KeyError as error:
        raise ValueError(
            f"MMEngine knows no checkpoint '{source}': write torchvision://resnet34 or the like, or name a local file"
        ) from error
    except OSError as error:
        raise OSError(f"cannot download '{source}' ({error}): download the file elsewhere and name it here") from error


def _convert_ripsnet(weights: Mapping[str, Tensor], recorded: dict, operator: str) -> dict:
    names = [f'layer{number}.linear.weight' for number in (1, 2, 3)]
    shapes = [tuple(weights[name].shape) if name in weights else () for name in names]
    if any(len(shape) != 2 for shape in shapes):
        raise ValueError(
            f'a RipsNet needs matrices {", ".join(names)}, got shapes {shapes} among the weights '
            f"{_names(weights)}: name a RipsNet's file"
        )
    in_channels, units = shapes[0][1], [shape[0] for shape in shapes]
    state = _fill(_ripsnet_layout(in_channels, units), weights)
    return dict(
        state_dict=state,
        in_channels=in_channels,
        units=units,
        operator=operator,
        meta=dict(network=RIPSNET, recorded=recorded),
    )


def _ripsnet_layout(in_channels: int, units: list[int]) -> Layout:
    """Return what the authors' file of a RipsNet must hold: layer1 to layer7, over both of our lists of layers."""
    with torch.device('meta'):
        ours = RipsNet(in_channels, units=units).state_dict()
    entries = {}
    for key, tensor in ours.items():
        part, index, kind = key.split('.')
        number = int(index) + (1 if part == 'point_layers' else 4)
        entries[f'layer{number}.linear.{kind}'] = (key, tensor)
    return Layout(RIPSNET, entries)


def _classifier_layout(network: str, weights: Mapping[str, Tensor]) -> Layout:
    """Return what the benchmark's file of a network must hold, with as many classes as the source has."""
    if network in TORCHVISION:
        return _torchvision_layout(network, weights)
    config = NETWORKS[network]
    with torch.device('meta'):
        backbone = MODELS.build(copy.deepcopy(config))
        num_classes = _num_classes(weights, benchmark_key(config['type'], 'head.fc.bias'), 100)
        classifier = nn.Linear(backbone.out_channels, num_classes)
    ours = {f'backbone.{key}': tensor for key, tensor in backbone.state_dict().items()}
    ours.update({f'head.fc.{key}': tensor for key, tensor in classifier.state_dict().items()})
    return Layout(network, {benchmark_key(config['type'], key): (key, tensor) for key, tensor in ours.items()})


def _torchvision_layout(network: str, weights: Mapping[str, Tensor]) -> Layout:
    """Return what torchvision's file of a network must hold, with as many classes as the source has."""
    with torch.device('meta'):
        theirs = getattr(torchvision.models, TORCHVISION[network])(num_classes=_num_classes(weights, 'fc.bias', 1000))
    entries = {}
    for key, tensor in theirs.state_dict().items():
        entries[key] = (f'{"head" if key.startswith("fc.") else "backbone"}.{key}', tensor)
    return Layout(network, entries)


def _num_classes(weights: Mapping[str, Tensor], bias: str, default: int) -> int:
    """Read the number of classes off the classifier's bias, where the source has one."""
    return len(weights[bias]) if bias in weights and weights[bias].ndim == 1 else default


def _recognize(weights: Mapping[str, Tensor]) -> Layout:
    """Return the layout that fits, or the nearest one where it shares most names with the source."""
    # torchvision's ResNets all have a group 'layer4'; their layouts take as long to build as all others together
    names = KNOWN if any(key.startswith('layer4.') for key in weights) else NETWORKS
    layouts = [_classifier_layout(network, weights) for network in names]
    nearest = min(layouts, key=lambda layout: sum(map(len, _misfits(layout, weights).values())))
    shared = sum(key in nearest.entries for key in weights)
    if 2 * shared < len(weights):
        raise ValueError(
            f'no place for the weights {_names(weights)}: name a checkpoint of {", ".join((*KNOWN, RIPSNET))}'
        )
    return nearest


def _misfits(layout: Layout, weights: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """List the names that are missing, left over, or of another shape."""
    expected = {key: tuple(tensor.shape) for key, (_, tensor) in layout.entries.items()}
    got = {key: tuple(tensor.shape) for key, tensor in weights.items()}
    unexpected = [key for key in got if key not in expected]
    return dict(
        missing=[key for key in expected if key not in got and not key.endswith(COUNTER)],
        # the counter of a layer that is listed says nothing more
        unexpected=[key for key in unexpected if not key.endswith(COUNTER)] or unexpected,
        reshaped=[
            f'{key} (expected {shape}, got {got[key]})'
            for key, shape in expected.items()
            if key in got and got[key] != shape
        ],
    )


def _names(names: Iterable[str]) -> str:
    names = list(names)
    more = f' and {len(names) - LISTED} more' if len(names) > LISTED else ''
    return ', '.join(names[:LISTED]) + more


def _fill(layout: Layout, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give every weight our name; counters of batches, which old files lack, start at 0."""
    misfits = _misfits(layout, weights)
    if any(misfits.values()):
        listed = '; '.join(f'{kind}: {_names(names)}' for kind, names in misfits.items() if names)
        raise ValueError(
            f'the weights do not fit {layout.network} ({listed}): name a checkpoint of this network, '
            'or the network of this checkpoint'
        )
    zero = torch.zeros((), dtype=torch.long)
    return {ours: weights.get(key, zero).detach().clone() for key, (ours, _) in layout.entries.items()}
