"""Models that train students against a teacher."""

from topkd.models.distillers.cohort import Cohort
from topkd.models.distillers.cohort_data_parallel import CohortDataParallel
from topkd.models.distillers.distiller import Distiller

__all__ = ['Cohort', 'CohortDataParallel', 'Distiller']
