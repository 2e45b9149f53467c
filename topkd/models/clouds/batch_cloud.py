"""The paper's clouds: one point an image."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from topkd.models.clouds.gathering import gather as gather_points
from topkd.models.clouds.point_cloud import IncompleteCloudError, PointCloud
from topkd.models.clouds.pooling import Features, pool
from topkd.registry import MODELS
from topkd.utils.checks import flag
from topkd.utils.tensors import full_precision


@MODELS.register_module()
class BatchCloud(PointCloud):
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

    Example:
        >>> import torch
        >>> BatchCloud(num_points=4)(torch.rand(8, 16, 8, 8)).shape
        torch.Size([2, 4, 16])
    """

    def __init__(
        self,
        num_points: int | None = None,
        gather: bool = False,
        normalization: str = 'none',
        incomplete: str = 'error',
        ignore_padding: bool = False,
    ) -> None:
        super().__init__(num_points, None, normalization, incomplete, gather)
        self.ignore_padding = flag('ignore_padding', ignore_padding)

    @property
    def capturable(self) -> bool:
        """bool: Whether neither other processes nor the borders of images are asked for."""
        return not (self.gather or self.ignore_padding)

    def points(self, features: Features, data_samples: Sequence[Any] | None = None) -> Tensor:
        """Cut the pooled features of a batch into clouds.

        Args:
            features (Tensor | Sequence[Tensor]): (N, C) or (N, C, H, W), or several such tensors, see
                :func:`topkd.models.clouds.pooling.pool`.
            data_samples (Sequence, optional): Tell what is padding, where that is to be ignored.

        Returns:
            Tensor: (B, n, C) in full precision.

        Raises:
            IncompleteCloudError: If N is no positive multiple of ``num_points``.
        """
        points = pool(full_precision(features), data_samples if self.ignore_padding else None)
        if self.gather:
            points = gather_points(points)
        self.check_batch(len(points))
        return points.reshape(-1, self.num_points or len(points), points.shape[1])

    def check_batch(self, batch_size: int) -> None:
        """Refuse a batch that is no positive multiple of the points, see :meth:`PointCloud.check_batch`."""
        num_points = self.num_points or batch_size
        if batch_size < max(num_points, 2) or batch_size % num_points:
            raise IncompleteCloudError(
                f'a cloud needs {max(num_points, 2)} points, got a batch of {batch_size} images: make the batch size a '
                f'multiple of {max(num_points, 2)}, and set drop_last=True in train_dataloader'
            )

    def request(self) -> dict[str, Any]:
        """Return what an artifact must record, see :meth:`PointCloud.request`."""
        return dict(super().request(), **dict(ignore_padding=True) if self.ignore_padding else {})
