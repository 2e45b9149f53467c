"""Cross-layer distillation: attention decides which teacher layer a student layer learns from (Chen et al. 2021)."""

from torch import Tensor


def assigned_distance(attention: Tensor, distances: Tensor) -> Tensor:
    r"""Weight the distances between all layers by attention.

    .. math:: \frac{1}{N S} \sum_{n, s, t} \alpha_{nst}\, d_{nst}

    Args:
        attention (Tensor): alpha, (N, S, T), rows over the T teacher layers with sum 1.
        distances (Tensor): d, (N, S, T), mean squared differences.

    Returns:
        Tensor: Scalar.

    Example:
        >>> import torch
        >>> float(assigned_distance(torch.tensor([[[0.25, 0.75]]]), torch.tensor([[[4.0, 8.0]]])))
        7.0

    Source: Equation 7.
    """
    return (attention * distances).sum() / (attention.shape[0] * attention.shape[1])
