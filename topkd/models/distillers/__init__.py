"""Models that train students against a teacher."""

from topkd.models.distillers.cohort import Cohort
from topkd.models.distillers.distiller import Distiller

__all__ = ['Cohort', 'Distiller']
