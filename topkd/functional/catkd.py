"""Class attention transfer: the class activation maps of both networks (Guo et al. 2023)."""

from torch import Tensor
from torch.nn import functional as F


def class_activation_maps(features: Tensor, weight: Tensor, resolution: int) -> Tensor:
    r"""Apply a classifier to the cells of a map.

    .. math:: \mathrm{CAM}_k = \sum_c w_{kc} \, \mathrm{pool}(f_c)

    Args:
        features (Tensor): f, (N, C, H, W), whose average is the classifier's input.
        weight (Tensor): w, (K, C). A bias, the same in every cell, is left out.
        resolution (int): Cells R along height and width.

    Returns:
        Tensor: (N, K, R, R).

    Example:
        >>> import torch
        >>> class_activation_maps(torch.ones(1, 3, 8, 8), torch.ones(10, 3), 2).shape
        torch.Size([1, 10, 2, 2])

    Source: the class activation maps of the paper. Both pooling and classifier are linear: either may come first.
    """
    return F.conv2d(F.adaptive_avg_pool2d(features, resolution), weight[:, :, None, None])


def activation_distance(student: Tensor, teacher: Tensor, normalize: bool) -> Tensor:
    """Compute the mean squared difference of class activation maps.

    Args:
        student (Tensor): (N, K, R, R).
        teacher (Tensor): (N, K, R, R).
        normalize (bool): Whether each map (R, R) is divided by its length first.

    Returns:
        Tensor: Scalar.

    Example:
        >>> import torch
        >>> maps = torch.rand(1, 2, 2, 2)
        >>> float(activation_distance(3 * maps, maps, normalize=True)) < 1e-12
        True

    Source: the authors' code.
    """
    if normalize:
        # torch's annotation allows one dimension, its norm several
        student = F.normalize(student, dim=(2, 3))  # type: ignore[arg-type]
        teacher = F.normalize(teacher, dim=(2, 3))  # type: ignore[arg-type]
    return (student - teacher).square().mean()
