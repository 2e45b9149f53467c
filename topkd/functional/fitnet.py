"""FitNets: the teacher's map regressed from the student's (Romero et al. 2015)."""

from torch import Tensor

from topkd.functional.maps import mean_squared_difference


def hint_distance(regressed: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the mean squared difference of two maps.

    .. math:: \frac{1}{N C H W} \|r(f_S) - f_T\|_2^2

    Args:
        regressed (Tensor): r(f_S), (N, C, H, W).
        teacher (Tensor): f_T, (N, C, H', W'). The larger map is average-pooled to the size of the smaller.

    Returns:
        Tensor: Scalar.

    Example:
        >>> import torch
        >>> hint_distance(torch.zeros(1, 2, 2, 2), 3 * torch.ones(1, 2, 4, 4))
        tensor(9.)

    Source: Equation 3, with the CRD benchmark's mean over all entries.
    """
    return mean_squared_difference(regressed, teacher)
