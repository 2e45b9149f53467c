"""Sums of tensors."""

import operator
from collections.abc import Iterable
from functools import reduce

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
        >>> import torch
        >>> add_up([torch.tensor(1.0), torch.tensor(2.0)])
        tensor(3.)
    """
    return reduce(operator.add, terms)
