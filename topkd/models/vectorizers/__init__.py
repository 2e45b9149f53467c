"""Point clouds to vectors of their topology behind one interface: exact ones, and images approximated by RipsNet."""

from topkd.artifacts.artifact import OPERATORS
from topkd.models.vectorizers.rips_image import RipsImage
from topkd.models.vectorizers.rips_landscape import RipsLandscape
from topkd.models.vectorizers.rips_perslay import RipsPersLay
from topkd.models.vectorizers.rips_vectorizer import RipsVectorizer
from topkd.models.vectorizers.ripsnet import RipsNet, units_for
from topkd.models.vectorizers.ripsnet_regressor import RipsNetRegressor
from topkd.models.vectorizers.vectorizer import Vectorizer

__all__ = [
    'OPERATORS',
    'RipsImage',
    'RipsLandscape',
    'RipsNet',
    'RipsNetRegressor',
    'RipsPersLay',
    'RipsVectorizer',
    'Vectorizer',
    'units_for',
]
