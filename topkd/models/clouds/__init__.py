"""From features to point clouds: what one point is, and which points form one cloud."""

from topkd.models.clouds.point_cloud import BatchCloud, SpatialCloud
from topkd.models.clouds.roi_cloud import RoICloud

__all__ = ['BatchCloud', 'RoICloud', 'SpatialCloud']
