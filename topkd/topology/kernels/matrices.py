"""Distance matrices in place of points: checks, and chosen entries with gradient."""

import torch
from torch import Tensor

from topkd.topology.kernels.pairwise import on_host

# by how much two entries of a pair may differ, as a share of the largest entry
ASYMMETRY = 1e-5


def checked_matrices(distances: Tensor) -> Tensor:
    """Return distance matrices in float32 or float64.

    Args:
        distances (Tensor): (B, n, n).

    Raises:
        TypeError: If they are no floating-point tensor.
        ValueError: If they are not of shape (B, n >= 2, n); on the CPU also if one is not finite, has a negative entry
            or another diagonal than 0, or is not symmetric.

    Example:
        >>> checked_matrices(torch.zeros(1, 3, 3, dtype=torch.float16)).dtype
        torch.float32
    """
    if not isinstance(distances, Tensor) or not distances.is_floating_point():
        got = distances.dtype if isinstance(distances, Tensor) else type(distances).__name__
        raise TypeError(f'distances must be a floating-point tensor, got {got}: convert them with .float()')
    if distances.ndim != 3 or distances.shape[1] != distances.shape[2] or distances.shape[1] < 2 or not len(distances):
        raise ValueError(f'distances must be matrices (B, n, n) of n >= 2 points, got {tuple(distances.shape)}')
    distances = distances if distances.dtype == torch.float64 else distances.float()
    if on_host(distances):
        _refuse_others(distances.detach())
    return distances


def _refuse_others(distances: Tensor) -> None:
    largest = distances.amax(dim=(1, 2))
    asymmetry = (distances - distances.mT).abs().amax(dim=(1, 2))
    for fault, found in (
        ('is not finite', ~distances.isfinite().flatten(1).all(dim=1)),
        ('has a negative entry', distances.amin(dim=(1, 2)) < 0),
        ('has a diagonal other than 0', distances.diagonal(dim1=1, dim2=2).any(dim=1)),
        ('is not symmetric', asymmetry > ASYMMETRY * largest),
    ):
        if found.any():
            raise ValueError(
                f'distance matrix {int(found.nonzero()[0])} {fault}: give symmetric, finite distances of 0 or more, '
                'with 0 on the diagonal'
            )


def entries(distances: Tensor, edges: Tensor) -> Tensor:
    r"""Return the distances of given edges, with gradient.

    A distance stands twice in its matrix: the mean of both, :math:`(D_{ij} + D_{ji}) / 2`, is taken, so that a gradient
    is a symmetric matrix too.

    Args:
        distances (Tensor): (B, n, n).
        edges (Tensor): End points (B, m, 2), int64.

    Returns:
        Tensor: (B, m).

    Example:
        >>> entries(torch.tensor([[[0.0, 2.0], [2.0, 0.0]]]), torch.tensor([[[0, 1]]]))
        tensor([[2.]])
    """
    n = distances.shape[1]
    first, second = edges.to(distances.device).unbind(2)
    flat = distances.flatten(1)
    return (flat.gather(1, first * n + second) + flat.gather(1, second * n + first)) / 2
