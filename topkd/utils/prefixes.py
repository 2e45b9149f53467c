"""Weights whose names begin otherwise than a network's: the beginnings that lead to each other are found.

timm and MMEngine strip prefixes that they are given; none finds those of a foreign file.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from topkd.utils.checkpoint import misfits

COUNTER = 'num_batches_tracked'
TRIED = 3  # names of the network that are compared with all names of the file in each round


class Renaming(NamedTuple):
    """Two beginnings of names, and how many weights they lead to each other.

    Attributes:
        strip (str): Beginning in the file, '' or with a dot at its end.
        add (str): Beginning in the network.
        weights (int): How many.
    """

    strip: str
    add: str
    weights: int


def renamed(
    weights: Mapping[str, Tensor], expected: Mapping[str, Tensor], strip: str | None = None, add: str | None = None
) -> tuple[dict[str, Tensor], list[Renaming]]:
    """Give weights the names that a network has for them.

    Args:
        weights (Mapping[str, Tensor]): Of a file.
        expected (Mapping[str, Tensor]): State dict of the network.
        strip (str, optional): Beginning that is taken away from names that have it. None, with ``add`` None too: all
            beginnings are found by the ends of names and by shapes, most weights first.
        add (str, optional): Beginning that these names get instead.

    Returns:
        tuple: The weights by the network's names, complete, and the beginnings. Counters of batches, which old files
        lack, start at 0.

    Raises:
        ValueError: If a weight has no place, is missing or has another shape; the message lists them.

    Example:
        >>> weights = {'encoder.0.weight': torch.ones(2), 'fc.bias': torch.ones(3)}
        >>> expected = {'backbone.0.weight': torch.zeros(2), 'head.fc.bias': torch.zeros(3)}
        >>> renamed(weights, expected)[1]
        [Renaming(strip='', add='head.', weights=1), Renaming(strip='encoder.', add='backbone.', weights=1)]
    """
    if strip is None and add is None:
        result, used = _found(weights, expected)
    else:
        result, used = _given(weights, expected, strip or '', add or '')
    for key, tensor in expected.items():
        if key.endswith(COUNTER):
            result.setdefault(key, torch.zeros_like(tensor))
    problems = misfits(expected, result)
    if problems:
        raise ValueError(
            f'the weights do not fit the network ({problems}): name the config of the network that they belong to'
            + ('' if strip is None and add is None else ', or other prefixes')
        )
    return result, used


def _given(
    weights: Mapping[str, Tensor], expected: Mapping[str, Tensor], strip: str, add: str
) -> tuple[dict[str, Tensor], list[Renaming]]:
    strip, add = (f'{prefix.rstrip(".")}.' if prefix else '' for prefix in (strip, add))
    result = {add + key[len(strip) :] if key.startswith(strip) else key: tensor for key, tensor in weights.items()}
    return result, [Renaming(strip, add, sum(key.startswith(strip) for key in weights))]


def _found(weights: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[Renaming]]:
    result: dict[str, Tensor] = {}
    used: list[Renaming] = []
    left, wanted = dict(weights), dict(expected)
    while left and wanted:
        best = max(
            (Renaming(strip, add, len(_led(left, wanted, strip, add))) for strip, add in _candidates(left, wanted)),
            key=lambda renaming: (renaming.weights, -len(renaming.strip + renaming.add)),
            default=Renaming('', '', 0),
        )
        if not best.weights:
            break
        for theirs, ours in _led(left, wanted, best.strip, best.add).items():
            result[ours] = left.pop(theirs)
            del wanted[ours]
        used.append(best)
    return {**result, **left}, used


def _led(left: Mapping[str, Tensor], wanted: Mapping[str, Tensor], strip: str, add: str) -> dict[str, str]:
    """Return the names of the network by those of the file that two beginnings lead to them."""
    pairs = ((key, add + key[len(strip) :]) for key in left if key.startswith(strip))
    return {theirs: ours for theirs, ours in pairs if ours in wanted and wanted[ours].shape == left[theirs].shape}


def _candidates(left: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Iterator[tuple[str, str]]:
    """Yield the beginnings that remain when the common end of two names is taken away."""
    seen = set()
    for ours in list(wanted)[:TRIED]:
        for theirs in left:
            pair = _beginnings(theirs, ours)
            if pair is not None and pair not in seen:
                seen.add(pair)
                yield pair


def _beginnings(theirs: str, ours: str) -> tuple[str, str] | None:
    first, second = theirs.split('.'), ours.split('.')
    common = 0
    while common < min(len(first), len(second)) and first[-1 - common] == second[-1 - common]:
        common += 1
    if not common:
        return None
    strip, add = first[: len(first) - common], second[: len(second) - common]
    return ''.join(f'{name}.' for name in strip), ''.join(f'{name}.' for name in add)
