"""From feature maps to points: one point an image."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from topkd.models.taps.tap_views import instead

Features = Tensor | Sequence[Tensor]


def pool(features: Features, data_samples: Sequence[Any] | None = None) -> Tensor:
    """Average feature maps into one point an image.

    Args:
        features (Tensor | Sequence[Tensor]): (N, C) is taken as it is, (N, C, H, W) is averaged over H and W. Of
            several tensors, such as the levels of a feature pyramid, the points are averaged, so that every level
            counts alike.
        data_samples (Sequence, optional): One an image; then only the part of a map that shows the image is averaged,
            not the border that made it as large as the others of its batch.

    Returns:
        Tensor: Points (N, C).

    Raises:
        ValueError: If there is any other number of dimensions.

    Example:
        >>> pool(torch.ones(2, 3, 8, 8)), pool([torch.zeros(1, 2), torch.ones(1, 2)])
        (tensor([[1., 1., 1.],
                [1., 1., 1.]]), tensor([[0.5000, 0.5000]]))
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
        f'{tuple(features.shape)}: {instead(features.shape, "cls", "mean")}'
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
