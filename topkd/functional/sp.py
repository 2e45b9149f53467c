"""Similarity-preserving distillation: the Gram matrix of a batch (Tung and Mori 2019)."""

from torch import Tensor
from torch.nn import functional as F


def similarities(features: Tensor) -> Tensor:
    r"""Compute the Gram matrix of flattened features, every row divided by its length.

    .. math:: G_i = \frac{(A A^\top)_i}{\|(A A^\top)_i\|_2}

    Args:
        features (Tensor): (N, ...), flattened to A (N, C H W).

    Returns:
        Tensor: (N, N).

    Example:
        >>> import torch
        >>> similarities(torch.tensor([[3.0, 0.0], [0.0, 4.0]]))
        tensor([[1., 0.],
                [0., 1.]])

    Source: Equations 1 and 2.
    """
    flat = features.flatten(1)
    return F.normalize(flat @ flat.T)
