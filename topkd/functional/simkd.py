"""The reused teacher classifier, which reads the student's projected map (Chen et al. 2022)."""

from torch import Tensor

from topkd.functional.maps import mean_squared_difference


def projection_distance(projected: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the mean squared difference of the projected map and the teacher's.

    .. math:: \frac{1}{N C H W} \|P(f_S) - f_T\|_2^2

    Args:
        projected (Tensor): P(f_S), (N, C, H, W).
        teacher (Tensor): f_T, (N, C, H', W'). The larger map is average-pooled to the size of the smaller.

    Returns:
        Tensor: Scalar.

    Example:
        >>> import torch
        >>> projection_distance(torch.zeros(1, 2, 2, 2), 3 * torch.ones(1, 2, 4, 4))
        tensor(9.)

    Source: the feature alignment of the paper, with the mean of the authors' code.
    """
    return mean_squared_difference(projected, teacher)
