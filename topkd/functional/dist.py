"""Correlation of predictions instead of their equality (DIST, Huang et al. 2022)."""

from torch import Tensor

EPS = 1e-8  # beside the product of the norms, in the authors' code


def pearson_distance(left: Tensor, right: Tensor) -> Tensor:
    r"""Compute one minus the correlation of the rows of two matrices.

    .. math:: \frac{1}{M} \sum_m \left(1 - \rho(u_m, v_m)\right)

    Args:
        left (Tensor): u, (M, K).
        right (Tensor): v, (M, K).

    Returns:
        Tensor: Scalar from 0 to 2; a row without variation counts as uncorrelated.

    Example:
        >>> import torch
        >>> rows = torch.tensor([[1.0, 2.0, 4.0]])
        >>> round(float(pearson_distance(rows, -2 * rows + 1)), 4)
        2.0
    """
    left = left - left.mean(dim=1, keepdim=True)
    right = right - right.mean(dim=1, keepdim=True)
    return 1 - ((left * right).sum(dim=1) / (left.norm(dim=1) * right.norm(dim=1) + EPS)).mean()
