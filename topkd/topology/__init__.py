"""Persistent homology in tensors, differentiable: diagrams, their representations, and distances between both."""

from topkd.topology.diagram_distances import wasserstein_distance
from topkd.topology.diagram_range import DiagramRange
from topkd.topology.diagrams import DiagramBackend, diagram_backend, diagrams_without_gradient
from topkd.topology.distances import rtd_lite, signature_loss, sliced_wasserstein_h0, wasserstein_h0
from topkd.topology.kernels.spanning_tree import minimum_spanning_tree
from topkd.topology.landscape import PersistenceLandscape
from topkd.topology.padding import PaddedDiagrams, pad_diagrams
from topkd.topology.persistence_image import PersistenceImager
from topkd.topology.perslay import PersLay
from topkd.topology.rips import as_diagrams, rips_diagrams, rips_h0

__all__ = [
    'DiagramBackend',
    'DiagramRange',
    'PaddedDiagrams',
    'PersLay',
    'PersistenceImager',
    'PersistenceLandscape',
    'as_diagrams',
    'diagram_backend',
    'diagrams_without_gradient',
    'minimum_spanning_tree',
    'pad_diagrams',
    'rips_diagrams',
    'rips_h0',
    'rtd_lite',
    'signature_loss',
    'sliced_wasserstein_h0',
    'wasserstein_distance',
    'wasserstein_h0',
]
