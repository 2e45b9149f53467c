"""Distance matrices in place of points: checks, and chosen entries with gradient."""

import torch
from torch import Tensor

from topkd.topology.kernels.pairwise import on_host, refuse_other_kinds

# what rounding leaves, as shares of the largest entry: the difference of a pair's two entries, and an entry below 0
ROUNDING = 1e-5
# torch.cdist multiplies matrices from 26 points on, and takes the root of what rounding leaves of a point with itself
DIAGONAL = 1e-3


def checked_matrices(distances: Tensor) -> Tensor:
    """Return distance matrices in float32 or float64.

    Args:
        distances (Tensor): (B, n, n).

    Raises:
        TypeError: If they are no floating-point tensor.
        ValueError: If they are not of shape (B, n >= 2, n); on the CPU also if one is not finite, or by more than
            rounding negative, other than 0 on its diagonal, or not symmetric.

    Example:
        >>> checked_matrices(torch.zeros(1, 3, 3, dtype=torch.float16)).dtype
        torch.float32
    """
    refuse_other_kinds('distances', distances)
    if distances.ndim != 3 or distances.shape[1] != distances.shape[2] or distances.shape[1] < 2 or not len(distances):
        raise ValueError(f'distances must be matrices (B, n, n) of n >= 2 points, got {tuple(distances.shape)}')
    distances = distances if distances.dtype == torch.float64 else distances.float()
    if on_host(distances):
        _refuse_others(distances.detach())
    return distances


def _refuse_others(distances: Tensor) -> None:
    largest = distances.abs().amax(dim=(1, 2))
    asymmetry = (distances - distances.mT).abs().amax(dim=(1, 2))
    for fault, found in (
        ('is not finite', ~distances.isfinite().flatten(1).all(dim=1)),
        ('has a negative entry', distances.amin(dim=(1, 2)) < -ROUNDING * largest),
        ('has a diagonal other than 0', distances.diagonal(dim1=1, dim2=2).amax(dim=1) > DIAGONAL * largest),
        ('is not symmetric', asymmetry > ROUNDING * largest),
    ):
        if found.any():
            raise ValueError(
                f'distance matrix {int(found.nonzero()[0])} {fault}: give symmetric, finite distances of 0 or more, '
                "with 0 on the diagonal (torch.cdist: compute_mode='donot_use_mm_for_euclid_dist')"
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
