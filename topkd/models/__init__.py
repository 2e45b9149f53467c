"""Distillers, losses, clouds, vectorizers and the networks that the host toolboxes lack."""

from topkd.models.backbones import *  # noqa: F401, F403
from topkd.models.clouds import BatchCloud, RoICloud, SpatialCloud
from topkd.models.data_preprocessors import ImageBatchPreprocessor
from topkd.models.distillers import Cohort, Distiller
from topkd.models.frozen import Frozen
from topkd.models.linear_probe import LinearProbe
from topkd.models.losses import *  # noqa: F401, F403
from topkd.models.losses import DistillationLoss, KDLoss, TopologyLoss
from topkd.models.norm_student import NORMProjector
from topkd.models.simkd_student import SimKDProjector, TeacherClassifierHead
from topkd.models.teacher import Teacher
from topkd.models.vectorizers import RipsImage, RipsNet, RipsNetRegressor

__all__ = [
    'BatchCloud',
    'Cohort',
    'DistillationLoss',
    'Distiller',
    'Frozen',
    'ImageBatchPreprocessor',
    'KDLoss',
    'LinearProbe',
    'NORMProjector',
    'RipsImage',
    'RipsNet',
    'RipsNetRegressor',
    'RoICloud',
    'SimKDProjector',
    'SpatialCloud',
    'Teacher',
    'TeacherClassifierHead',
    'TopologyLoss',
]
