"""Dimension 0 of a handful of small clouds on the CPU, as in a training step, where kernels' overhead is the cost.

A step has two clouds, of 64 points say: too little work to hide the several microseconds that torch spends on each of
the hundred kernels of the general way, forward and backward. Here a few calls do it: torch has all distances of a cloud
in one, from differences, and scipy has Prim's algorithm in C. The results are those of the general way up to rounding.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import Function

from topkd.topology.kernels.pairwise import edge_lengths, on_host
from topkd.topology.kernels.spanning_tree import LIGHTEST

Prim = Callable[[np.ndarray, int], np.ndarray]
FEW_CLOUDS = 4
FEW_POINTS = 256
# B n^2 d, beyond which distances by matrix product, the general way, are faster
FEW_PRODUCTS = 2**23
# squares of distances between these neither overflow nor lose digits in float32
COMFORTABLE = (1e-10, 1e15)


def deaths_of_few(points: Tensor) -> Tensor | None:
    """Compute what :func:`topkd.topology.rips_h0` returns, or None where the general way must do it.

    Args:
        points (Tensor): Clouds (B, n, d), float32 or float64.

    Returns:
        Tensor: Deaths (B, n - 1), ascending. None where the clouds are many, large, on a GPU, badly scaled or not
        finite, or scipy is not installed.

    Example:
        >>> deaths_of_few(torch.tensor([[[0.0], [1.0], [3.0]]]))
        tensor([[1., 2.]])
        >>> deaths_of_few(torch.zeros(1000, 3, 2)) is None
        True
    """
    count, n, width = points.shape
    if count > FEW_CLOUDS or n > FEW_POINTS or count * n * n * width > FEW_PRODUCTS or not on_host(points):
        return None
    prim = _prim()
    trees = None if prim is None else _find_trees(points.detach(), prim)
    return None if trees is None else _Deaths.apply(points, trees)


class _Trees(NamedTuple):
    """The edges of all clouds (B, n - 1), by length: lengths, and the rows of both end points among all (B * n)."""

    lengths: np.ndarray
    first: np.ndarray
    second: np.ndarray

    def edges(self, n: int) -> Tensor:
        """Return the end points within their clouds (B, n - 1, 2)."""
        return torch.from_numpy(np.stack((self.first, self.second), axis=2) % n)


class _Deaths(Function):
    @staticmethod
    def forward(ctx: Any, points: Tensor, trees: _Trees) -> Tensor:
        deaths = torch.from_numpy(trees.lengths)
        ctx.save_for_backward(points, deaths)
        ctx.trees = trees
        return deaths

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        points, _ = ctx.saved_tensors  # an error where either was changed in place
        if torch.is_grad_enabled():  # a graph of the derivative is asked for, which numpy would not be part of
            lengths = edge_lengths(points, ctx.trees.edges(points.shape[1]))
            return *torch.autograd.grad(lengths, points, grad, create_graph=True), None
        return _pull(points.detach(), ctx.trees, grad.numpy()), None


def _pull(points: Tensor, trees: _Trees, grad: np.ndarray) -> Tensor:
    """Return the gradient of the points (B, n, d) for that of the deaths (B, n - 1)."""
    count, n, width = points.shape
    lengths, first, second = trees
    rows = points.numpy().reshape(count * n, width)
    differences = rows.take(first, axis=0) - rows.take(second, axis=0)
    pull = grad / np.where(lengths > 0, lengths, 1)  # at length 0 the difference is 0 too
    pulls = torch.from_numpy(differences * pull[..., None]).flatten(0, 1)
    result = torch.zeros(count * n, width, dtype=points.dtype)
    result.index_add_(0, torch.from_numpy(first.reshape(-1)), pulls)
    result.index_add_(0, torch.from_numpy(second.reshape(-1)), pulls, alpha=-1)
    return result.view(points.shape)


def _find_trees(points: Tensor, prim: Prim) -> _Trees | None:
    count, n = points.shape[:2]
    layout = _layout(count, n)
    lengths = torch.stack([torch.pdist(cloud) for cloud in points.unbind()]).numpy()
    largest = lengths.max(axis=1)
    if not (largest.min() > COMFORTABLE[0] and largest.max() < COMFORTABLE[1]):  # nor for NaN
        return None
    # the last digits of a weight name its edge, as in spanning_tree.py
    keys = np.maximum(lengths, LIGHTEST, dtype=np.float64)
    digits = keys.view(np.int64)
    digits &= -1 << layout.bits
    digits |= layout.names
    # a handful of clouds: as one graph, without a loop, they cost as much
    tree = np.stack([prim(weights, n)[:, 2] for weights in keys]).view(np.int64)
    tree &= (1 << layout.bits) - 1
    unsorted = lengths.reshape(-1).take(tree + layout.pairs)
    order = unsorted.argsort(axis=1) + layout.edges
    tree = tree.reshape(-1).take(order)
    return _Trees(
        unsorted.reshape(-1).take(order), layout.low.take(tree) + layout.points, layout.high.take(tree) + layout.points
    )


class _Layout(NamedTuple):
    """The pairs of a cloud's points in the order of pdist: names, their number of digits, both ends.

    The numbers of the first pair, edge and point of every cloud are those among all clouds (B, 1).
    """

    names: np.ndarray
    bits: int
    low: np.ndarray
    high: np.ndarray
    pairs: np.ndarray
    edges: np.ndarray
    points: np.ndarray


@lru_cache(maxsize=8)
def _layout(count: int, n: int) -> _Layout:
    low, high = np.triu_indices(n, 1)
    cloud = np.arange(count)[:, None]
    return _Layout(
        np.arange(len(low)),
        max(1, (len(low) - 1).bit_length()),
        low,
        high,
        len(low) * cloud,
        (n - 1) * cloud,
        n * cloud,
    )


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
