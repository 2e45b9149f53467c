"""Take the scale out of point clouds."""

import torch
from torch import Tensor
from torch.nn import functional as F

NORMALIZATIONS = ('none', 'unit_norm', 'mean_distance')


def normalize_clouds(clouds: Tensor, how: str) -> Tensor:
    """Take the scale out of point clouds, the same way for teacher and student.

    Args:
        clouds (Tensor): (B, n, d).
        how (str): ``'none'``; ``'unit_norm'``: every point is divided by its Euclidean norm; ``'mean_distance'``: every
            cloud is divided by the mean distance of its pairs of points.

    Returns:
        Tensor: (B, n, d).

    Example:
        >>> normalize_clouds(torch.tensor([[[3.0, 4.0], [0.0, 2.0]]]), 'unit_norm')
        tensor([[[0.6000, 0.8000],
                 [0.0000, 1.0000]]])
    """
    if how == 'none':
        return clouds
    if how == 'unit_norm':
        return F.normalize(clouds, dim=-1)
    first, second = torch.triu_indices(clouds.shape[1], clouds.shape[1], offset=1, device=clouds.device)
    squared = (clouds[:, first] - clouds[:, second]).square().sum(-1)
    # a pair of equal points has distance 0, where the square root has no gradient
    distances = torch.where(squared > 0, squared.clamp_min(torch.finfo(squared.dtype).tiny).sqrt(), 0)
    return clouds / distances.mean(dim=1).clamp_min(torch.finfo(clouds.dtype).eps)[:, None, None]
