"""Models that train students against a teacher.

- ``distiller``: one student. ``diagnosis``: its checks of terms, and what the log says of them.
- ``teacher_reader``: what is read at the teacher, and when. ``roi_teacher_reader``: the same for two-stage detectors.
- ``cohort``: several students side by side, with ``member_gradients``, ``member_scalers`` (mixed precision) and
  ``cohort_data_parallel`` (several processes).
"""

from topkd.models.distillers.cohort import Cohort
from topkd.models.distillers.cohort_data_parallel import CohortDataParallel
from topkd.models.distillers.distiller import Distiller

__all__ = ['Cohort', 'CohortDataParallel', 'Distiller']
