"""The base of all point clouds: what every cloud is asked for."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from topkd.models.clouds.normalization import NORMALIZATIONS, normalize_clouds
from topkd.models.clouds.pooling import Features
from topkd.utils.checks import choice, flag, whole

INCOMPLETE = ('error', 'skip')


class IncompleteCloudError(ValueError):
    """A batch that cannot be cut into clouds of ``num_points`` points.

    Example:
        >>> issubclass(IncompleteCloudError, ValueError)
        True
    """


class PointCloud(nn.Module):
    """Turn the features of a batch into point clouds (B, n, d).

    A subclass says in :meth:`points` what a point is and which points form one cloud; projection and normalization are
    the same for all.

    Args:
        num_points (int, optional): Points of a cloud, n. None: as many as the batch has images.
        images_per_cloud (int, optional): Images that make one cloud. None: one image a point.
        normalization (str): See :func:`topkd.models.clouds.normalization.normalize_clouds`. Defaults to 'none'.
        incomplete (str): What a batch that makes no whole cloud does: ``'error'``, or ``'skip'`` to leave the topology
            term out of that step. Defaults to 'error'.
        gather (bool): Whether the batches of all processes are joined before they are cut into clouds. Defaults to
            False.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> from topkd.models.clouds import SpatialCloud
        >>> cloud = SpatialCloud(grid=4)
        >>> cloud.request(), cloud.images(batch_size=64)
        ({'cloud': 'SpatialCloud', 'num_points': 16, 'normalization': 'none'}, 1)
    """

    # whether points are annotated objects, so that an image has to come with its annotations in its own pixels
    reads_annotations = False

    def __init__(
        self,
        num_points: int | None,
        images_per_cloud: int | None = None,
        normalization: str = 'none',
        incomplete: str = 'error',
        gather: bool = False,
    ) -> None:
        super().__init__()
        self.num_points = None if num_points is None else whole('num_points', num_points, at_least=2)
        if images_per_cloud is not None:
            images_per_cloud = whole('images_per_cloud', images_per_cloud, at_least=1)
        self.images_per_cloud = self.num_points if images_per_cloud is None else images_per_cloud
        self.normalization = choice('normalization', normalization, NORMALIZATIONS)
        self.incomplete = choice('incomplete', incomplete, INCOMPLETE)
        self.gather = flag('gather', gather)

    @property
    def capturable(self) -> bool:
        """bool: Whether a CUDA graph can hold how clouds are made: always alike, and all on the device."""
        return False

    def forward(
        self, features: Features, projection: nn.Module | None = None, data_samples: Sequence[Any] | None = None
    ) -> Tensor:
        """Turn the features of a batch into clouds.

        Args:
            features (Tensor | Sequence[Tensor]): Of one tap or several, N images.
            projection (nn.Module, optional): Applied to the points before they are normalized.
            data_samples (Sequence, optional): The batch's annotations, one data sample an image.

        Returns:
            Tensor: Clouds (B, n, d) in full precision; d is the features' width C without a projection.

        Raises:
            IncompleteCloudError: If the batch makes no whole cloud.
        """
        clouds = self.points(features, data_samples)
        return normalize_clouds(clouds if projection is None else projection(clouds), self.normalization)

    def points(self, features: Features, data_samples: Sequence[Any] | None = None) -> Tensor:
        """Return the clouds (B, n, C) as they are before projection and normalization; see :meth:`forward`."""
        raise NotImplementedError

    def request(self) -> dict[str, Any]:
        """Return what an artifact must record of its clouds, as plain values.

        Returns:
            dict: ``cloud``, ``num_points``, ``normalization``, and what else of a subclass decides the points.
        """
        return dict(cloud=type(self).__name__, num_points=self.num_points, normalization=self.normalization)

    def check_batch(self, batch_size: int) -> None:
        """Refuse batches of which no whole clouds are made, for clouds whose points are images.

        Args:
            batch_size (int): Images of a batch; of all processes if ``gather``.

        Raises:
            IncompleteCloudError: If the batch makes no whole cloud.
        """

    def images(self, batch_size: int) -> int:
        """Return how many images make a cloud in a training with batches of ``batch_size`` images."""
        return self.images_per_cloud or batch_size
