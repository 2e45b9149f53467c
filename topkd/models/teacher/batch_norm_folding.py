"""Batch normalizations of a frozen network, folded into the convolutions before them."""

import copy
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval

from topkd.models.taps.tap import reach
from topkd.models.taps.tap_paths import locate

# largest difference of a feature, relative to the largest feature of its tap, that rounding may cause
TOLERANCE = 1e-3


class Pair(NamedTuple):
    """A convolution, the batch normalization that alone reads its output, and their paths."""

    conv: nn.Conv2d
    norm: _BatchNorm
    conv_path: str
    norm_path: str


def shared_copy(network: nn.Module) -> nn.Module:
    """Copy a network whose convolutions may be changed: hooks, and all tensors but their weights, are shared with it.

    Args:
        network (nn.Module): Left as it is; hooks that it gets later are called by the copy too.
    """
    tensors = [*network.parameters(), *network.buffers()]
    hooks = [value for module in network.modules() for key, value in vars(module).items() if '_hooks' in key]
    shared = [*(tensor for tensor in tensors if tensor.ndim != 4), *hooks]
    return copy.deepcopy(network, {id(thing): thing for thing in shared})


@torch.no_grad()
def fold_batch_norms(network: nn.Module, image: Tensor, taps: Sequence[str]) -> int:
    r"""Fold batch normalizations into convolutions, in place, and compare all taps with what they were.

    .. math:: \gamma\, \frac{W * x + b - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta
        = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}}\, W * x + b'

    Pairs are found by running the image: the input of the one is the output of the other, and each runs once. A tap on
    the output of the convolution, on the input of the normalization or on a parameter of either leaves the pair as it
    is; the output of the normalization may be tapped. Hooks of the network are not called.

    Args:
        network (nn.Module): In eval mode.
        image (Tensor): (1, 3, H, W), which the network takes.
        taps (Sequence[str]): See :func:`topkd.models.taps.tap.tap`.

    Returns:
        int: Number of folded pairs. 0, and an unchanged network, if folding would change a tap by more than 1e-3 of its
            largest value, because a convolution's output has another reader.
    """
    with without_hooks(network):
        return _fold(network, image, taps)


def _fold(network: nn.Module, image: Tensor, taps: Sequence[str]) -> int:
    pairs, expected = find_pairs(network, image, taps)
    for pair in pairs:
        _replace(network, pair.conv_path, fuse_conv_bn_eval(pair.conv, pair.norm))
        _replace(network, pair.norm_path, nn.Identity())
    found = reach(network, image, taps)
    if all(_close(found[path], feature) for path, feature in expected.items()):
        return len(pairs)
    for pair in pairs:
        _replace(network, pair.conv_path, pair.conv)
        _replace(network, pair.norm_path, pair.norm)
    return 0


def find_pairs(network: nn.Module, image: Tensor, taps: Sequence[str]) -> tuple[list[Pair], dict[str, Tensor]]:
    """Find the pairs that may be folded, and return them with the features at the taps.

    Args:
        network (nn.Module): In eval mode.
        image (Tensor): (1, 3, H, W).
        taps (Sequence[str]): What losses read.
    """
    names = {id(module): name for name, module in network.named_modules()}
    made: dict[int, tuple[Tensor, nn.Conv2d]] = {}  # the outputs of convolutions, kept so that no number is used twice
    followed: list[tuple[nn.Conv2d, _BatchNorm]] = []
    runs: Counter[int] = Counter()

    def look(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        runs[id(module)] += 1
        if isinstance(module, nn.Conv2d):
            made[id(output)] = output, module
        elif isinstance(module, _BatchNorm) and id(inputs[0]) in made:
            followed.append((made[id(inputs[0])][1], module))

    kinds = (nn.Conv2d, _BatchNorm)
    handles = [module.register_forward_hook(look) for module in network.modules() if isinstance(module, kinds)]
    try:
        features = reach(network, image, taps)
    finally:
        for handle in handles:
            handle.remove()
    read = Counter(id(conv) for conv, _ in followed)
    tapped = [_touched(network, path) for path in taps]
    pairs = [
        Pair(conv, norm, names[id(conv)], names[id(norm)])
        for conv, norm in followed
        if runs[id(conv)] == runs[id(norm)] == read[id(conv)] == 1
        and norm.running_mean is not None
        and not any(_hides(conv, norm, *tap) for tap in tapped)
    ]
    return pairs, features


def _touched(network: nn.Module, path: str) -> tuple[nn.Module, str]:
    """Return the module that a tap reads, and what of it: 'output', 'input' or 'weights'."""
    place = locate(network, path)
    return place.module, place.part


def _hides(conv: nn.Module, norm: nn.Module, module: nn.Module, part: str) -> bool:
    """Return whether folding a pair hides what a tap reads of a module."""
    return (module is conv and part != 'input') or (module is norm and part != 'output')


@contextmanager
def without_hooks(network: nn.Module) -> Iterator[None]:
    """Keep hooks of a network and of what is inside from being called: whoever counts or collects sees nothing."""
    kept = [(module, module._forward_hooks, module._forward_pre_hooks) for module in network.modules()]
    for module, *_ in kept:
        module._forward_hooks, module._forward_pre_hooks = OrderedDict(), OrderedDict()
    try:
        yield
    finally:
        for module, after, before in kept:
            module._forward_hooks, module._forward_pre_hooks = after, before


def _replace(network: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, name = path.rpartition('.')
    network.get_submodule(parent)._modules[name] = module


def _close(found: Tensor, expected: Tensor) -> bool:
    largest = expected.abs().max() if expected.numel() else expected.new_zeros(())
    return bool((found - expected).abs().le(TOLERANCE * largest).all())
