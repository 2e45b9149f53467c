"""From features to point clouds: what one point is, and which points form one cloud."""

from topkd.models.clouds.batch_cloud import BatchCloud
from topkd.models.clouds.point_cloud import IncompleteCloudError, PointCloud
from topkd.models.clouds.pooling import pool
from topkd.models.clouds.roi_cloud import RoICloud
from topkd.models.clouds.spatial_cloud import SpatialCloud
from topkd.utils.tensors import full_precision

__all__ = ['BatchCloud', 'IncompleteCloudError', 'PointCloud', 'RoICloud', 'SpatialCloud', 'full_precision', 'pool']
