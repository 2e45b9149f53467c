"""What two-stage detectors need beyond the generic distiller."""

from topkd.models.detectors.faster_rcnn_distiller import FasterRCNNDistiller
from topkd.models.detectors.roi_cloud import RoICloud

__all__ = ['FasterRCNNDistiller', 'RoICloud']
