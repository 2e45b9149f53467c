"""Probabilistic knowledge transfer: the neighbor probabilities of a batch (Passalis and Tefas 2018)."""

from torch import Tensor

EPS = 1e-7  # beside norms and probabilities, in the authors' code


def neighbor_probabilities(points: Tensor) -> Tensor:
    r"""Compute the probability that an image picks another as its neighbor.

    .. math:: p_{ij} = \frac{s_{ij}}{\sum_k s_{ik}}, \quad s_{ij} = \frac{1}{2} \left(1 + \cos(x_i, x_j)\right)

    Args:
        points (Tensor): (N, C).

    Returns:
        Tensor: (N, N), rows with sum 1.

    Example:
        >>> import torch
        >>> neighbor_probabilities(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
        tensor([[0.6667, 0.3333],
                [0.3333, 0.6667]])

    Source: Equations 8 and 9.
    """
    directions = points / (points.norm(dim=1, keepdim=True) + EPS)
    similarities = (directions @ directions.T + 1) / 2
    return similarities / similarities.sum(dim=1, keepdim=True)
