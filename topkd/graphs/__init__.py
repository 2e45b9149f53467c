"""Training steps that a CUDA graph can capture: one launch a step in the place of thousands.

Two words are torch's own: a tensor is static if it keeps its place in memory however often its values change, as a
graph reads and writes the same places in every launch; a part of a step is capturable if a graph can hold it.
"""

from topkd.graphs.backend import CudaGraphs, GraphBackend
from topkd.graphs.graphed_step import GraphedStep
from topkd.graphs.requirements import obstacle
from topkd.graphs.static_batch import StaticBatch
from topkd.graphs.static_step import StaticStep
from topkd.graphs.watch import Watch

__all__ = ['CudaGraphs', 'GraphBackend', 'GraphedStep', 'StaticBatch', 'StaticStep', 'Watch', 'obstacle']
