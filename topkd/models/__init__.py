"""Distillers, losses, clouds, vectorizers and the networks that the host toolboxes lack.

What a training step does, and where it stands:

- ``distillers``: a student runs its own loss, losses compare its features with a teacher's. ``teacher``: that network.
- ``taps``: where features are read in both. ``probe_image``: the image that shows their widths.
- ``losses``: what is compared, one method a file. The topology loss makes point clouds of features (``clouds``), and
  images of clouds (``vectorizers``).

Networks, by themselves: ``backbones``, ``library_classifiers``, ``linear_probe``, and the parts that two methods add
to a student, ``norm_student`` and ``simkd_student``. ``data_preprocessors``: what happens to a batch before it.
Tools of several of them: ``build``, ``frozen``, ``indices``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from topkd.models.clouds import BatchCloud, RoICloud, SpatialCloud
from topkd.models.data_preprocessors import ImageBatchPreprocessor
from topkd.models.distillers import Cohort, Distiller
from topkd.models.frozen import Frozen
from topkd.models.linear_probe import LinearProbe
from topkd.models.losses import *  # noqa: F401, F403
from topkd.models.losses import DistillationLoss, KDLoss, TopologyLoss
from topkd.models.norm_student import NORMProjector
from topkd.models.teacher import Teacher
from topkd.models.vectorizers import RipsImage, RipsLandscape, RipsNet, RipsNetRegressor, RipsPersLay

if TYPE_CHECKING:
    from topkd.models.library_classifiers import HuggingFaceClassifier, ModuleClassifier, TimmClassifier
    from topkd.models.simkd_student import SimKDProjector, TeacherClassifierHead

__all__ = [
    'BatchCloud',
    'Cohort',
    'DistillationLoss',
    'Distiller',
    'Frozen',
    'HuggingFaceClassifier',
    'ImageBatchPreprocessor',
    'KDLoss',
    'LinearProbe',
    'ModuleClassifier',
    'NORMProjector',
    'RipsImage',
    'RipsLandscape',
    'RipsNet',
    'RipsNetRegressor',
    'RipsPersLay',
    'RoICloud',
    'SimKDProjector',
    'SpatialCloud',
    'Teacher',
    'TeacherClassifierHead',
    'TimmClassifier',
    'TopologyLoss',
]

# networks are imported at their first use: that of mmpretrain, on which most are built, takes seconds
IMPORTED_LATE = ('topkd.models.backbones', 'topkd.models.simkd_student', 'topkd.models.library_classifiers')


def __getattr__(name: str) -> Any:
    """Return a network or a head by its name."""
    if not name.startswith('_'):
        for module in map(import_module, IMPORTED_LATE):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module 'topkd.models' has no attribute '{name}'")
