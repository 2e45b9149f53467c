"""Correlation congruence in the form of the CRD benchmark (Peng et al. 2019)."""

from torch import Tensor


def correlation_distance(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Compute the mean product of the differences of neighbors in a batch.

    .. math:: \frac{1}{N - 1} \sum_i \sum_c \delta_{ic}\, \delta_{i+1, c}, \quad \delta = |x^S - x^T|

    Args:
        student (Tensor): (N, C) with N of 2 or more.
        teacher (Tensor): (N, C).

    Returns:
        Tensor: Scalar.

    Example:
        >>> import torch
        >>> float(correlation_distance(torch.tensor([[1.0], [2.0], [3.0]]), torch.zeros(3, 1)))
        4.0

    Source: the CRD benchmark's form of Equation 4.
    """
    difference = (student - teacher).abs()
    return (difference[:-1] * difference[1:]).sum(dim=1).mean()
