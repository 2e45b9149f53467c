"""Clouds of the cells of one image's feature map."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from topkd.models.clouds.point_cloud import PointCloud
from topkd.models.clouds.pooling import Features
from topkd.models.taps.tap_views import instead
from topkd.registry import MODELS
from topkd.utils.checks import whole
from topkd.utils.tensors import full_precision


@MODELS.register_module()
class SpatialCloud(PointCloud):
    """Every image its own cloud: the cells of a ``grid`` x ``grid`` average pooling of a feature map are the points.

    The grid makes clouds of teacher and student comparable when their feature maps differ in size.

    Args:
        grid (int): Cells along each side; a cloud has grid x grid points. Defaults to 8.
        normalization (str): See :func:`topkd.models.clouds.normalization.normalize_clouds`. Defaults to 'none'.

    Example:
        >>> import torch
        >>> SpatialCloud(grid=4)(torch.rand(2, 16, 8, 8)).shape
        torch.Size([2, 16, 16])

    Source: beyond the paper.
    """

    def __init__(self, grid: int = 8, normalization: str = 'none') -> None:
        cells = whole('grid', grid, at_least=2)
        super().__init__(cells * cells, 1, normalization)
        self.grid = cells

    def points(self, features: Features, data_samples: Sequence[Any] | None = None) -> Tensor:
        """Turn a feature map (N, C, H, W) into clouds (N, grid * grid, C) in full precision."""
        if not isinstance(features, Tensor) or features.ndim != 4:
            got = tuple(features.shape) if isinstance(features, Tensor) else f'{len(features)} taps'
            advice = instead(features.shape, 'map') if isinstance(features, Tensor) else 'name one tap'
            raise ValueError(f'a spatial cloud needs the feature maps (N, C, H, W) of one tap, got {got}: {advice}')
        return F.adaptive_avg_pool2d(full_precision(features), self.grid).flatten(2).transpose(1, 2)
