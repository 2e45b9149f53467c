"""Dimension 0 of a handful of small clouds on the CPU, as in a training step, where kernels' overhead is the cost.

A step has two clouds, of 64 points say: too little work to hide the several microseconds that torch spends on each of
the hundred kernels of the general way, forward and backward. numpy spends a third of that, and scipy has Prim's
algorithm in C. The results are those of the general way up to rounding; of the derivatives, only the first.
"""
from functools import lru_cache
from typing import Any, Callable, NamedTuple, Optional, Tuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import Function, once_differentiable

from topkd.topology.pairwise import NEAR, REPAIRED_NUMBERS, may_multiply
from topkd.topology.spanning_tree import LIGHTEST

FEW_CLOUDS = 4
FEW_POINTS = 256
# squares of points between these neither overflow nor lose digits in float32
COMFORTABLE = (1e-20, 1e30)


def deaths_of_few(points: Tensor) -> Optional[Tensor]:
    """Compute what :func:`topkd.topology.rips_h0` returns, or None where the general way must do it.

    Args:
        points (Tensor): Clouds (B, n, d), float32 or float64.

    Returns:
        Tensor: Deaths (B, n - 1), ascending. None where the clouds are many, large, on a GPU, badly scaled or not
        finite, or scipy is not installed.
    """
    if len(points) > FEW_CLOUDS or points.shape[1] > FEW_POINTS or not may_multiply(points):
        return None
    trees = _find_trees(points.detach().numpy()) if _prim() is not None else None
    return None if trees is None else _Deaths.apply(points, trees)


class _Trees(NamedTuple):
    """The edges of all clouds, (B * (n - 1), ...), and their order by cloud and length."""
    ends: Tuple[np.ndarray, np.ndarray]
    differences: np.ndarray
    lengths: np.ndarray
    order: np.ndarray


class _Deaths(Function):

    @staticmethod
    def forward(ctx: Any, points: Tensor, trees: _Trees) -> Tensor:
        ctx.trees, ctx.shape = trees, points.shape
        return torch.from_numpy(trees.lengths[trees.order]).view(len(points), -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Tensor, None]:
        (first, second), differences, lengths, edge = ctx.trees
        lengths = lengths[edge]
        pull = grad.numpy().ravel() / np.where(lengths > 0, lengths, 1)  # at length 0 the difference is 0 too
        incidence = np.zeros((ctx.shape[0] * ctx.shape[1], len(edge)), pull.dtype)
        incidence[first[edge], edge] = pull
        incidence[second[edge], edge] = -pull
        return torch.from_numpy(_product(incidence[None], differences[None]).reshape(ctx.shape)), None


def _find_trees(points: np.ndarray) -> Optional[_Trees]:
    count, n, width = points.shape
    layout = _layout(count, n)
    squared = _squared_distances(points, layout)
    if squared is None:
        return None
    # the last digits of a weight name its edge, as in spanning_tree.py
    keys = np.maximum(squared, LIGHTEST, dtype=np.float64)
    names = keys.view(np.int64)
    names &= -1 << 2 * layout.bits
    names |= layout.names
    # a handful of clouds: as one graph, without a loop, they cost as much
    tree = np.concatenate([_prim()(edges, n)[:, 2] for edges in keys]).view(np.int64)
    first = layout.start + (tree >> layout.bits & (1 << layout.bits) - 1)
    second = layout.start + (tree & (1 << layout.bits) - 1)
    flat = points.reshape(count * n, width)
    differences = flat.take(first, axis=0) - flat.take(second, axis=0)
    lengths = np.sqrt(np.einsum('md,md->m', differences, differences))
    return _Trees((first, second), differences, lengths, np.lexsort((lengths, layout.start)))


def _squared_distances(points: np.ndarray, layout: '_Layout') -> Optional[np.ndarray]:
    """Return the squared distances within clouds (B, n (n - 1) / 2), as pairwise.py does."""
    n, width = points.shape[1:]
    with np.errstate(over='ignore', invalid='ignore'):
        centred = points - np.add.reduce(points, axis=1, keepdims=True) / points.dtype.type(n)
        squared = _product(centred, centred.transpose(0, 2, 1))
        norms = squared.diagonal(axis1=1, axis2=2).copy()
        largest = norms.max(axis=1)
        if not (largest.min() > COMFORTABLE[0] and largest.max() < COMFORTABLE[1]):  # nor for NaN
            return None
    squared *= -2
    squared += norms[:, :, None]
    squared += norms[:, None, :]
    squared = squared.take(layout.entries)
    share = NEAR[torch.float32 if points.dtype == np.float32 else torch.float64]
    cloud, edge = np.nonzero(squared < 2 * share * largest[:, None])
    if not len(cloud):
        return squared
    low, high = layout.low[edge], layout.high[edge]
    near = squared[cloud, edge] < share * (norms[cloud, low] + norms[cloud, high])
    cloud, edge, low, high = cloud[near], edge[near], low[near], high[near]
    if len(cloud) * width > REPAIRED_NUMBERS:
        return None
    differences = points[cloud, low] - points[cloud, high]
    squared[cloud, edge] = np.einsum('md,md->m', differences, differences)
    return squared


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    # by torch, because numpy's product has threads of its own, which would compete with torch's;
    # into a given array, because autocast leaves that alone
    out = np.empty((*a.shape[:-1], b.shape[-1]), a.dtype)
    torch.bmm(torch.from_numpy(a), torch.from_numpy(b), out=torch.from_numpy(out))
    return out


class _Layout(NamedTuple):
    """End points and names of the edges of a cloud; for all clouds, where they stand among all squared distances, and
    the number of the first point of each tree edge's cloud."""
    low: np.ndarray
    high: np.ndarray
    names: np.ndarray
    bits: int
    entries: np.ndarray
    start: np.ndarray


@lru_cache(maxsize=8)
def _layout(count: int, n: int) -> _Layout:
    bits = max(1, (n - 1).bit_length())
    low, high = np.triu_indices(n, 1)
    entries = n * n * np.arange(count)[:, None] + low * n + high
    return _Layout(low, high, low << bits | high, bits, entries, n * np.repeat(np.arange(count), n - 1))


@lru_cache(maxsize=1)
def _prim() -> Optional[Callable[[np.ndarray, int], np.ndarray]]:
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
