"""Relational knowledge distillation: distances and angles within a batch (Park et al. 2019)."""

import torch
from torch import Tensor
from torch.nn import functional as F


def relative_distances(points: Tensor) -> Tensor:
    r"""Compute all distances, divided by the mean of those that are not 0.

    Args:
        points (Tensor): (N, C).

    Returns:
        Tensor: (N, N), symmetric with a diagonal of 0; all 0 if the points are equal.

    Example:
        >>> relative_distances(torch.tensor([[0.0], [1.0], [3.0]]))
        tensor([[0.0000, 0.5000, 1.5000],
                [0.5000, 0.0000, 1.0000],
                [1.5000, 1.0000, 0.0000]])

    Source: Equation 6.
    """
    distances = (points[:, None] - points[None]).norm(dim=2)
    mean = distances.sum() / (distances > 0).sum().clamp_min(1)
    return distances / mean.clamp_min(torch.finfo(points.dtype).tiny)


def angles(points: Tensor) -> Tensor:
    r"""Compute the cosine of the angle at every point between every two others.

    .. math:: \cos \angle\, x_j x_i x_k = \left\langle \frac{x_j - x_i}{\|x_j - x_i\|},
        \frac{x_k - x_i}{\|x_k - x_i\|} \right\rangle

    Args:
        points (Tensor): (N, C).

    Returns:
        Tensor: (N, N, N), by i, j, k; 0 where two of the points are equal.

    Example:
        >>> angles(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]))[0, 1]
        tensor([0., 1., 0.])

    Source: Equation 8.
    """
    directions = F.normalize(points[None] - points[:, None], dim=2)
    return torch.bmm(directions, directions.transpose(1, 2))
