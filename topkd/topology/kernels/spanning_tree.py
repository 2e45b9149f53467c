"""Minimum spanning trees of many weighted complete graphs at once: Prim's on the host, Boruvka's on a device."""

import math

import numpy as np
import torch
from torch import Tensor

from topkd.topology.kernels.pairwise import on_host

MAX_VERTICES = 2**13
# weights are raised to this number, far from where a name alone would make a denormal number, and far above 1 / APART
LIGHTEST = 2.0**-900
NO_EDGE = 2.0**1000  # finite, because its last digits are looked at before it is known to be none
APART = 2.0**1000


def minimum_spanning_tree(weights: Tensor) -> Tensor:
    r"""Find a minimum spanning tree of every complete graph of a batch.

    On the CPU by Prim's algorithm: n - 1 steps, each of a few numpy operations on all graphs, which read every weight
    once. On a GPU and in compiled graphs by Boruvka's: every component takes its lightest edge to another component,
    all at once, so :math:`\lceil\log_2 n\rceil` rounds of whole-batch operations give the tree; nothing is
    synchronized with the host.

    Args:
        weights (Tensor): Symmetric weights (B, n, n), non-negative and finite; the diagonal is not read. Of float64
            weights the last :math:`2 \lceil\log_2 n\rceil` of 52 binary digits are not told apart.

    Returns:
        Tensor: End points of the edges (B, n - 1, 2), int64, in no particular order. Without gradient.

    Raises:
        ValueError: If the weights are no batch of square matrices, or of more than 8192 vertices.

    Example:
        >>> weights = torch.tensor([[[0.0, 1.0, 9.0], [1.0, 0.0, 2.0], [9.0, 2.0, 0.0]]])
        >>> sorted(sorted(edge) for edge in minimum_spanning_tree(weights)[0].tolist())
        [[0, 1], [1, 2]]

    Source: Prim, 1957; Boruvka, 1926; see Graham and Hell, On the history of the minimum spanning tree problem, 1985.
    """
    if weights.ndim != 3 or weights.shape[1] != weights.shape[2]:
        raise ValueError(f'weights must be square matrices (B, n, n), got {tuple(weights.shape)}')
    n = weights.shape[1]
    if not 1 <= n <= MAX_VERTICES:
        raise ValueError(f'minimum_spanning_tree takes graphs of 1 to {MAX_VERTICES} vertices, got {n}')
    with torch.no_grad():
        return _prim(weights) if on_host(weights) else _boruvka(weights)


def _prim(weights: Tensor) -> Tensor:
    count, n = weights.shape[:2]
    bits = _bits(n)
    keys = _named(weights, torch.arange(n).unsqueeze(1), bits).numpy()
    rows, start = keys.reshape(count * n, n), n * np.arange(count)
    lightest, row = keys[:, 0].copy(), np.empty((count, n))  # edges between the tree and every vertex
    done = np.zeros((count, n))  # infinity for the vertices of the tree
    lightest[:, 0] = done[:, 0] = np.inf
    joined, weight = np.empty((n - 1, count), np.int64), np.empty((n - 1, count))
    flat, flat_done = lightest.reshape(-1), done.reshape(-1)
    for vertex, its_weight in zip(joined, weight, strict=True):
        lightest.argmin(axis=1, out=vertex)
        place = start + vertex
        flat.take(place, out=its_weight, mode='clip')
        flat_done[place] = np.inf
        rows.take(place, axis=0, out=row, mode='clip')
        np.minimum(lightest, row, out=lightest)
        np.maximum(lightest, done, out=lightest)
    # the key by which a vertex joined ends in the name of its neighbor in the tree
    neighbor = weight.view(np.int64) & (1 << bits) - 1
    return torch.from_numpy(np.stack((neighbor.T, joined.T), axis=2))


def _boruvka(weights: Tensor) -> Tensor:
    count, n = weights.shape[:2]
    bits = _bits(n)
    vertex = torch.arange(n, device=weights.device)
    low, high = torch.minimum(vertex, vertex.unsqueeze(1)), torch.maximum(vertex, vertex.unsqueeze(1))
    # equal weights can make no cycle, because keys order the edges as (weight, i, j) with i < j
    keys = _named(torch.minimum(weights, weights.mT), (low << bits) | high, 2 * bits)
    label = vertex.expand(count, n)  # every component is called by one of its vertices, that of vertex 0 by 0
    found = label  # the edge by which a component was hooked to another one, by the component's name
    one = keys.new_ones(())
    for step in range(bits):
        if step:
            # adds infinity within a component, elsewhere less than the last digit of any key
            place = label.double() * APART
            keys.addcdiv_(one, place.unsqueeze(2) - place.unsqueeze(1))
        hooked, edge = _lightest_edges(keys, label, bits)
        low, high = edge >> bits, edge & (2**bits - 1)
        # an edge leaves its component, so one of its ends lies there and the other one in the component to join
        parent = torch.where(hooked, label.gather(1, low) + label.gather(1, high) - vertex, vertex)
        # two components that took the same edge: the one of lower name stays
        parent = torch.where((parent.gather(1, parent) == vertex) & (vertex < parent), vertex, parent)
        found = torch.where(parent != vertex, edge, found)
        for _ in range(bits - step):
            parent = parent.gather(1, parent)
        label = parent.gather(1, label)
    # vertex 0 is never hooked, and every other vertex exactly once
    found = found[:, 1:]
    return torch.stack((found >> bits, found & (2**bits - 1)), dim=2)


def _named(weights: Tensor, names: Tensor, digits: int) -> Tensor:
    """Return float64 keys (B, n, n): the weights with their last binary digits replaced by names.

    Those digits are zero anyway in float32 weights. One minimum then gives the lightest edge and its name.
    """
    keys = weights.to(torch.float64, copy=True).clamp_(min=LIGHTEST)
    keys.diagonal(dim1=1, dim2=2).fill_(NO_EDGE)
    return keys.view(torch.int64).bitwise_and_(-1 << digits).bitwise_or_(names).view(torch.float64)


def _lightest_edges(keys: Tensor, label: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """Return whether a component, by name, has an edge to another one (B, n), and the lightest such edge (B, n)."""
    nearest = keys.amin(dim=2)
    best = torch.full_like(nearest, NO_EDGE).scatter_reduce_(1, label, nearest, 'amin')
    best[:, 0] = NO_EDGE
    hooked = best < NO_EDGE
    # an edge of NaN weight is none, and its digits name no vertices
    return hooked, torch.where(hooked, best.view(torch.int64) & (4**bits - 1), 0)


def _bits(n: int) -> int:
    return max(1, math.ceil(math.log2(n)))  # torch 2.4 compiles this, and not int.bit_length
