"""The training of RipsNet: regress the exact images of a teacher's clouds."""

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModel
from torch import Tensor
from torch.nn import functional as F

from topkd.models.vectorizers import RipsNet
from topkd.registry import MODELS


@MODELS.register_module()
class RipsNetRegressor(BaseModel):
    """Fit a RipsNet by the mean squared error of its images.

    Args:
        in_channels (int): Width of the points, d.
        operator (str): 'mean' or 'sum'. Defaults to 'mean'.
        units (Sequence[int], optional): See :class:`topkd.models.RipsNet`.
        homology_dims (Sequence[int]): See there. Defaults to (0, ).
        resolution (Sequence[int]): See there. Defaults to (20, 20).

    Example:
        >>> import torch
        >>> regressor = RipsNetRegressor(in_channels=16)
        >>> regressor(torch.randn(2, 64, 16), torch.rand(2, 400))['loss'].shape
        torch.Size([])

    Source: Section 4.1, Equation 2.
    """

    def __init__(
        self,
        in_channels: int,
        operator: str = 'mean',
        units: Sequence[int] | None = None,
        homology_dims: Sequence[int] = (0,),
        resolution: Sequence[int] = (20, 20),
    ) -> None:
        super().__init__()
        self.ripsnet = RipsNet(in_channels, operator, units, homology_dims, resolution)

    def forward(self, points: Tensor, images: Tensor, mode: str = 'loss') -> dict[str, Tensor] | list[Any]:
        """Compare approximated images with exact ones.

        Args:
            points (Tensor): Clouds (B, n, d).
            images (Tensor): Exact images (B, P).
            mode (str): 'loss' for training; 'predict' returns what :class:`topkd.metrics.ImageError` adds up.
        """
        predicted = self.ripsnet(points)
        if mode == 'loss':
            return dict(loss=F.mse_loss(predicted, images))
        return [dict(predicted=predicted, images=images)]
