"""Sums and precision of tensors.

Python's sum starts from the integer 0, which costs a kernel, and torch.stack a copy.
"""

import operator
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import overload

import torch
from torch import Tensor


def add_up(terms: Iterable[Tensor]) -> Tensor:
    """Add tensors one by one, without the integer 0 that Python's ``sum`` starts from.

    Args:
        terms (Iterable[Tensor]): One or more, of one shape.

    Returns:
        Tensor: Their sum, of the same shape, with graph.

    Raises:
        TypeError: If there are none.

    Example:
        >>> add_up([torch.tensor(1.0), torch.tensor(2.0)])
        tensor(3.)
    """
    return reduce(operator.add, terms)


@overload
def full_precision(features: Tensor) -> Tensor: ...
@overload
def full_precision(features: Sequence[Tensor]) -> list[Tensor]: ...
def full_precision(features: Tensor | Sequence[Tensor]) -> Tensor | list[Tensor]:
    """Raise half precision to float32: topology under mixed precision is computed in full precision.

    Example:
        >>> full_precision(torch.zeros(2, dtype=torch.float16)).dtype
        torch.float32
    """
    if not isinstance(features, Tensor):
        return [full_precision(level) for level in features]
    return features if features.dtype == torch.float64 else features.float()
