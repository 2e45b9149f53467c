"""Trees of a handful of small clouds on the CPU, as in a training step, where the overhead of calls is the cost.

torch has all distances of a cloud in one call, from differences, and scipy has Prim's algorithm in C.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from topkd.topology.kernels.spanning_tree import LIGHTEST
from topkd.topology.kernels.trees import Trees

Prim = Callable[[np.ndarray, int], np.ndarray]
FEW_CLOUDS = 4
FEW_POINTS = 256
# B n^2 d, beyond which distances by matrix product, the general way, are faster
FEW_PRODUCTS = 2**23
# squares of distances between these neither overflow nor lose digits in float32
COMFORTABLE = (1e-10, 1e15)


def trees_of_few(points: Tensor) -> Trees | None:
    """Find the trees of a few clouds, from all distances within each and scipy's Prim.

    Args:
        points (Tensor): Clouds (B, n, d) on the CPU, float32 or float64, without graph.

    Returns:
        Trees: None if the clouds are many, large, badly scaled or not finite, or scipy is not installed.

    Example:
        >>> trees_of_few(torch.tensor([[[0.0], [1.0], [3.0]]])).lengths
        array([[1., 2.]], dtype=float32)
        >>> trees_of_few(torch.zeros(1000, 3, 2)) is None
        True
    """
    count, n, width = points.shape
    if count > FEW_CLOUDS or n > FEW_POINTS or count * n * n * width > FEW_PRODUCTS:
        return None
    prim = _prim()
    return None if prim is None else _find_trees(points, prim)


def _find_trees(points: Tensor, prim: Prim) -> Trees | None:
    count, n = points.shape[:2]
    layout = _layout(count, n)
    lengths = torch.stack([torch.pdist(cloud) for cloud in points.unbind()]).numpy()
    if not all(COMFORTABLE[0] < largest < COMFORTABLE[1] for largest in lengths.max(axis=1).tolist()):  # nor is NaN
        return None
    # the last digits of a weight name its edge, as in spanning_tree.py
    keys = np.maximum(lengths, LIGHTEST, dtype=np.float64)
    digits = keys.view(np.int64)
    digits &= -1 << layout.bits
    digits |= layout.names
    # a handful of clouds: as one graph, without a loop, they cost as much
    tree = np.stack([prim(weights, n)[:, 2] for weights in keys]).view(np.int64)
    tree &= (1 << layout.bits) - 1
    low, high = layout.low.take(tree), layout.high.take(tree)
    return Trees(lengths.reshape(-1).take(tree + layout.pairs), low + layout.points, high + layout.points)


class _Layout(NamedTuple):
    """The pairs of a cloud's points in the order of pdist: names, their number of digits, both ends.

    The numbers of the first pair and point of every cloud are those among all clouds (B, 1).
    """

    names: np.ndarray
    bits: int
    low: np.ndarray
    high: np.ndarray
    pairs: np.ndarray
    points: np.ndarray


@lru_cache(maxsize=8)
def _layout(count: int, n: int) -> _Layout:
    low, high = np.triu_indices(n, 1)
    cloud = np.arange(count)[:, None]
    return _Layout(np.arange(len(low)), max(1, (len(low) - 1).bit_length()), low, high, len(low) * cloud, n * cloud)


@lru_cache(maxsize=1)
def _prim() -> Prim | None:
    """Return scipy's minimum spanning tree of a condensed distance matrix, as the merges of single linkage."""
    try:
        from scipy.cluster.hierarchy import linkage
    except ImportError:
        return None
    try:
        # what linkage calls after checks that take as long as the tree
        from scipy.cluster._hierarchy import mst_single_linkage
    except ImportError:
        return lambda edges, n: linkage(edges, 'single')
    return mst_single_linkage
