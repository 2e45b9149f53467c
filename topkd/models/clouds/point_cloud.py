"""From features to point clouds: what one point is, and which points form one cloud."""

import math
from collections.abc import Sequence
from typing import Any, Union

import torch
from mmengine.dist import all_gather, all_reduce, get_rank, get_world_size
from torch import Tensor, nn
from torch.nn import functional as F

from topkd.registry import MODELS

Features = Union[Tensor, Sequence[Tensor]]
NORMALIZATIONS = ('none', 'unit_norm', 'mean_distance')


class IncompleteCloudError(ValueError):
    """A batch that cannot be cut into clouds of ``num_points`` points."""


def full_precision(features: Features) -> Features:
    """Raise half precision to float32: topology under mixed precision is computed in full precision."""
    if not isinstance(features, Tensor):
        return [full_precision(level) for level in features]
    return features if features.dtype == torch.float64 else features.float()


def pool(features: Features, data_samples: Sequence[Any] | None = None) -> Tensor:
    """Average feature maps into one point an image.

    Args:
        features (Tensor | Sequence[Tensor]): (N, C) is taken as it is, (N, C, H, W) is averaged over H and W. Of several
            tensors, such as the levels of a feature pyramid, the points are averaged, so that every level counts alike.
        data_samples (Sequence, optional): One an image; then only the part of a map that shows the image is averaged,
            not the border that made it as large as the others of its batch.

    Returns:
        Tensor: Points (N, C).

    Raises:
        ValueError: For any other number of dimensions.
    """
    if not isinstance(features, Tensor):
        return torch.stack([pool(level, data_samples) for level in features]).mean(dim=0)
    if features.ndim == 2:
        return features
    if features.ndim == 4 and data_samples is not None:
        return _pool_images(features, data_samples)
    if features.ndim == 4:
        return features.mean(dim=(2, 3))
    raise ValueError(
        'features must have shape (N, C) or (N, C, H, W) to become one point an image, got '
        f'{tuple(features.shape)}: tap another module'
    )


def _pool_images(features: Tensor, data_samples: Sequence[Any]) -> Tensor:
    """Average every map (C, H, W) over the part that shows its image."""
    weights = [features.new_zeros(len(features), cells) for cells in features.shape[2:]]
    for axis, weight in enumerate(weights):
        for row, sample in zip(weight, data_samples):
            image = getattr(sample, 'img_shape', (1, 1))
            padded = getattr(sample, 'batch_input_shape', image)
            shown = math.ceil(len(row) * image[axis] / padded[axis])
            row[:shown] = 1 / shown
    # products with the weights, because masked copies of a detector's finest maps would not fit beside them
    count, channels, height, width = features.shape
    rows = torch.bmm(features.reshape(count, channels * height, width), weights[1][:, :, None])
    return torch.bmm(rows.reshape(count, channels, height), weights[0][:, :, None])[:, :, 0]


class _Gather(torch.autograd.Function):
    """All-gather along the first dimension; the gradient of every rank flows back to the rank that owns the rows."""

    @staticmethod
    def forward(ctx, points: Tensor) -> Tensor:
        ctx.rows = len(points)
        return torch.cat(all_gather(points.contiguous()))

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        gradient = gradient.contiguous()
        all_reduce(gradient)
        return gradient.narrow(0, get_rank() * ctx.rows, ctx.rows)


def gather(points: Tensor) -> Tensor:
    """Concatenate the points of all ranks, with gradient.

    Every rank then computes the same loss on the same cloud. The backward pass sums the ranks' gradients, and
    DistributedDataParallel averages what arrives at the parameters, so W ranks of m images train exactly as one
    process with W m images.

    Args:
        points (Tensor): (N, d), the same N on every rank.

    Returns:
        Tensor: (W N, d), ordered by rank. Without distributed training, ``points`` itself.
    """
    return points if get_world_size() == 1 else _Gather.apply(points)


def normalize_clouds(clouds: Tensor, how: str) -> Tensor:
    """Take the scale out of point clouds, the same way for teacher and student.

    Args:
        clouds (Tensor): (B, n, d).
        how (str): ``'none'``; ``'unit_norm'``: every point is divided by its Euclidean norm; ``'mean_distance'``: every
            cloud is divided by the mean distance of its pairs of points.

    Returns:
        Tensor: (B, n, d).
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


@MODELS.register_module()
class BatchCloud(nn.Module):
    """One point an image, one cloud of every ``num_points`` consecutive images of the batch (the paper's clouds).

    Args:
        num_points (int, optional): Points of a cloud, n. None: the whole batch is one cloud. Defaults to None.
        gather (bool): Whether the batches of all ranks are joined before they are cut into clouds, so that a cloud
            may span processes. Defaults to False.
        normalization (str): See :func:`normalize_clouds`. Defaults to 'none'.
        incomplete (str): What a batch that is no multiple of ``num_points`` does: ``'error'``, or ``'skip'`` to leave
            the topology term out of that step. Defaults to 'error'.
        ignore_padding (bool): Whether the borders of images that were padded to one size are left out of the averages,
            so that an image's point does not depend on the images beside it. Defaults to False.
    """

    def __init__(
        self,
        num_points: int | None = None,
        gather: bool = False,
        normalization: str = 'none',
        incomplete: str = 'error',
        ignore_padding: bool = False,
    ) -> None:
        super().__init__()
        if num_points is not None and num_points < 2:
            raise ValueError(f'num_points must be 2 or more, got {num_points}')
        if normalization not in NORMALIZATIONS:
            raise ValueError(f"normalization must be one of {', '.join(NORMALIZATIONS)}, got '{normalization}'")
        if incomplete not in ('error', 'skip'):
            raise ValueError(f"incomplete must be 'error' or 'skip', got '{incomplete}'")
        self.num_points = num_points
        self.gather = gather
        self.normalization = normalization
        self.incomplete = incomplete
        self.needs_samples = ignore_padding

    def forward(
        self, features: Features, projection: nn.Module | None = None, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Turn the features of a batch into clouds.

        Args:
            features (Tensor | Sequence[Tensor]): (N, C) or (N, C, H, W), or several such tensors, see :func:`pool`.
            projection (nn.Module, optional): Applied to the points before they are normalized.
            data_samples (Sequence, optional): Tell what is padding, where that is to be ignored.

        Returns:
            Tensor: Clouds (B, n, d) in full precision; d = C without a projection.

        Raises:
            IncompleteCloudError: If N is no positive multiple of ``num_points``.
        """
        points = pool(full_precision(features), data_samples)
        if self.gather:
            points = gather(points)
        num_points = self.num_points or len(points)
        if len(points) < max(num_points, 2) or len(points) % num_points:
            raise IncompleteCloudError(
                f'a cloud needs {num_points} points, got a batch of {len(points)} images: make the batch size a multiple '
                f'of {num_points}, and set drop_last=True in train_dataloader'
            )
        clouds = points.reshape(-1, num_points, points.shape[1])
        return normalize_clouds(clouds if projection is None else projection(clouds), self.normalization)


@MODELS.register_module()
class SpatialCloud(nn.Module):
    """Every image its own cloud: the cells of a ``grid`` x ``grid`` average pooling of a feature map are the points.

    The grid makes clouds of teacher and student comparable when their feature maps differ in size.

    Args:
        grid (int): Cells along each side; a cloud has grid x grid points. Defaults to 8.
        normalization (str): See :func:`normalize_clouds`. Defaults to 'none'.
    """

    incomplete = 'error'
    images_per_cloud = 1

    def __init__(self, grid: int = 8, normalization: str = 'none') -> None:
        super().__init__()
        if grid < 2:
            raise ValueError(f'grid must be 2 or more, got {grid}')
        if normalization not in NORMALIZATIONS:
            raise ValueError(f"normalization must be one of {', '.join(NORMALIZATIONS)}, got '{normalization}'")
        self.grid = grid
        self.num_points = grid * grid
        self.normalization = normalization

    def forward(self, features: Tensor, projection: nn.Module | None = None) -> Tensor:
        """Turn feature maps (N, C, H, W) into clouds (N, grid * grid, d) in full precision; see BatchCloud."""
        if not isinstance(features, Tensor) or features.ndim != 4:
            got = tuple(features.shape) if isinstance(features, Tensor) else f'{len(features)} taps'
            raise ValueError(f'a spatial cloud needs the feature maps (N, C, H, W) of one tap, got {got}')
        clouds = F.adaptive_avg_pool2d(full_precision(features), self.grid).flatten(2).transpose(1, 2)
        return normalize_clouds(clouds if projection is None else projection(clouds), self.normalization)
