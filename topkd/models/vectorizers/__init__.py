"""Point clouds to persistence images, exact (RipsImage) or approximated (RipsNet), behind one interface."""

from topkd.models.vectorizers.rips_image import RipsImage
from topkd.models.vectorizers.ripsnet import OPERATORS, RipsNet, units_for
from topkd.models.vectorizers.ripsnet_regressor import RipsNetRegressor
from topkd.models.vectorizers.vectorizer import Vectorizer

__all__ = ['OPERATORS', 'RipsImage', 'RipsNet', 'RipsNetRegressor', 'Vectorizer', 'units_for']
