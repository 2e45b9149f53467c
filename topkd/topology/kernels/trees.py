"""Minimum spanning trees of clouds on the CPU, in numpy: lengths of edges, and how their gradient pulls at the points.

A training step has few and small clouds: too little work to hide the several microseconds that torch spends on each of
the hundred kernels of its own way, forward and backward. Here a few calls do it, inside functions whose derivative is
written by hand. The results are those of the general way up to rounding.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from topkd.topology.kernels.pairwise import squared_distances
from topkd.topology.kernels.spanning_tree import minimum_spanning_tree

# clouds are worked on in chunks of about this many distances: few enough for a CPU's cache, or for a GPU's memory
CHUNK = {'cpu': 2**19, 'cuda': 2**25}
# of such clouds, squared distances neither overflow nor lose digits in float32
COMFORTABLE_COORDINATES = (1e-4, 1e15)


class Trees(NamedTuple):
    """The edges of all trees (B, n - 1): their lengths, and the rows of both end points among all points (B * n, d).

    Example:
        >>> Trees(np.array([[1.0, 2.0]]), np.array([[0, 1]]), np.array([[1, 2]])).edges(n=3)
        tensor([[[0, 1],
                 [1, 2]]])
    """

    lengths: np.ndarray
    first: np.ndarray
    second: np.ndarray

    def edges(self, n: int) -> Tensor:
        """Return the end points within their clouds of n points (B, n - 1, 2)."""
        return torch.from_numpy(np.stack((self.first, self.second), axis=2) % n)

    def by_length(self) -> 'Trees':
        """Return the same trees, each with its edges in ascending order."""
        order = self.lengths.argsort(axis=1)
        order += self.lengths.shape[1] * np.arange(len(order))[:, None]
        return Trees(*(values.reshape(-1).take(order) for values in self))


def differences(points: np.ndarray, trees: Trees) -> np.ndarray:
    """Return first minus second end point of every edge.

    Args:
        points (np.ndarray): Clouds (B, n, d).
        trees (Trees): Of these clouds.

    Returns:
        np.ndarray: (B, n - 1, d).

    Example:
        >>> trees = Trees(np.array([[2.0]]), np.array([[0]]), np.array([[1]]))
        >>> differences(np.array([[[1.0], [3.0]]]), trees)
        array([[[-2.]]])
    """
    rows = points.reshape(-1, points.shape[2])
    return rows.take(trees.first, axis=0) - rows.take(trees.second, axis=0)


def pull(points: Tensor, trees: Trees, slopes: np.ndarray) -> Tensor:
    r"""Carry a gradient of the edges' lengths over to the points: each edge pulls at both of its ends.

    .. math:: \frac{\partial}{\partial x_i} = \sum_{e = \{i, j\}} \mathrm{slope}_e \frac{x_i - x_j}{|x_i - x_j|}

    An edge of length 0 pulls at nothing.

    Args:
        points (Tensor): Clouds (B, n, d), without graph.
        trees (Trees): Of these clouds.
        slopes (np.ndarray): Gradient of the lengths (B, n - 1).

    Returns:
        Tensor: (B, n, d).

    Example:
        >>> trees = Trees(np.array([[2.0]]), np.array([[0]]), np.array([[1]]))
        >>> pull(torch.tensor([[[1.0], [3.0]]], dtype=torch.float64), trees, np.array([[5.0]])).flatten()
        tensor([-5.,  5.], dtype=torch.float64)
    """
    weights = slopes / np.where(trees.lengths > 0, trees.lengths, 1)  # at length 0 the difference is 0 too
    pulls = torch.from_numpy(differences(points.numpy(), trees) * weights[..., None]).flatten(0, 1)
    result = torch.zeros(points.shape, dtype=points.dtype)
    rows = result.view(-1, points.shape[2])
    rows.index_add_(0, torch.from_numpy(trees.first.reshape(-1)), pulls)
    rows.index_add_(0, torch.from_numpy(trees.second.reshape(-1)), pulls.neg_())  # alpha=-1 takes three times as long
    return result


def composed_gradient(compute: Callable[[Tensor], Tensor], points: Tensor, grad: Tensor) -> Tensor:
    """Return a gradient of points with a graph of its own, which numpy would not be part of.

    Args:
        compute (Callable): The same function of the points, of torch's own operations.
        points (Tensor): Clouds (B, n, d).
        grad (Tensor): Gradient of the function's result.

    Example:
        >>> points = torch.ones(1, 1, 2, requires_grad=True)
        >>> composed_gradient(torch.sin, points, torch.ones(1, 1, 2)).requires_grad
        True
    """
    return torch.autograd.grad(compute(points), points, grad, create_graph=True)[0]


def trees_of_many(points: Tensor) -> Trees | None:
    """Find the trees of any number of clouds, by matrix products and Prim's algorithm for all at once.

    Args:
        points (Tensor): Clouds (B, n, d) on the CPU, float32 or float64, without graph.

    Returns:
        Trees: None if a cloud is badly scaled or not finite.

    Example:
        >>> trees_of_many(torch.tensor([[[0.0], [1.0], [3.0]]])).lengths
        array([[1., 2.]], dtype=float32)
    """
    count, n = points.shape[:2]
    largest = torch.maximum(points.amax(dim=(1, 2)), -points.amin(dim=(1, 2)))
    low, high = COMFORTABLE_COORDINATES
    if not (largest.amin() > low and largest.amax() < high):  # nor for NaN
        return None
    _keep_some_freed_memory()
    chunks = points.split(max(1, CHUNK['cpu'] // n**2))
    edges = torch.cat([minimum_spanning_tree(squared_distances(part)) for part in chunks]).numpy()
    first, second = np.moveaxis(edges, 2, 0) + n * np.arange(count)[:, None]
    found = differences(points.numpy(), Trees(first, first, second))
    return Trees(torch.linalg.vector_norm(torch.from_numpy(found), dim=2).numpy(), first, second)


@lru_cache(maxsize=1)
def _keep_some_freed_memory() -> None:
    # glibc gives memory back to the system beyond twice the largest block that was ever freed, and page faults to get
    # it again for the next call are a quarter of its time; freeing one large block, which is never touched, prevents
    # that. A training keeps all (topkd.utils.allocator); a library's call must not decide that for its process.
    torch.empty(2**25 - 2**16, dtype=torch.uint8)
