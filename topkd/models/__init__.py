"""Distiller, losses, vectorizers and the networks that the host toolboxes lack."""

from topkd.models.backbones import *  # noqa: F401, F403
from topkd.models.detectors import FasterRCNNDistiller, RoICloud
from topkd.models.distiller import Distiller
from topkd.models.frozen import Frozen
from topkd.models.image_batch_preprocessor import ImageBatchPreprocessor
from topkd.models.linear_probe import LinearProbe
from topkd.models.losses import DistillationLoss, KDLoss, TopologyLoss
from topkd.models.point_cloud import BatchCloud, SpatialCloud
from topkd.models.ripsnet_regressor import RipsNetRegressor
from topkd.models.teacher import Teacher
from topkd.models.vectorizers import RipsImage, RipsNet

__all__ = [
    'BatchCloud',
    'DistillationLoss',
    'Distiller',
    'FasterRCNNDistiller',
    'Frozen',
    'ImageBatchPreprocessor',
    'KDLoss',
    'LinearProbe',
    'RipsImage',
    'RipsNet',
    'RipsNetRegressor',
    'RoICloud',
    'SpatialCloud',
    'Teacher',
    'TopologyLoss',
]
