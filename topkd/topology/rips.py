"""Vietoris-Rips persistence of batches of point clouds, exact and differentiable."""

from collections.abc import Sequence

import torch
from torch import Tensor

from topkd.topology.kernels.cycles import cycle_edges
from topkd.topology.kernels.host_deaths import deaths_of_trees, find_trees
from topkd.topology.kernels.pairwise import checked_clouds, edge_lengths, on_host, refuse_broken, squared_distances
from topkd.topology.kernels.spanning_tree import minimum_spanning_tree
from topkd.topology.kernels.trees import CHUNK

HOMOLOGY_DIMS = ((0,), (1,), (0, 1))


def rips_h0(points: Tensor, check_finite: bool | None = None) -> Tensor:
    r"""Compute the deaths of all finite classes of dimension 0, which are the edges of the minimum spanning tree.

    .. math:: \{d_1 \le \dots \le d_{n-1}\} = \{|x_i - x_j| : \{i, j\} \in \mathrm{MST}(X)\}

    All births are 0, and the filtration value is the edge's length, as in gudhi. The tree is chosen without gradient;
    the lengths are then computed from the points again. A death's gradient moves the two end points of its edge apart.
    Duplicate points give deaths 0 with gradient 0.

    Args:
        points (Tensor): Clouds (B, n, d), n >= 2. Half precision is raised to float32; autocast has no effect.
        check_finite (bool, optional): Whether to look for NaN and infinite points, which makes the host wait for a
            GPU. None looks on the CPU, and neither on a GPU nor under torch.compile. Without a look the deaths of
            such a cloud are all NaN.

    Returns:
        Tensor: Deaths (B, n - 1), ascending, in the unit of the points.

    Raises:
        TypeError: If the points are no floating-point tensor.
        ValueError: If they are not of shape (B, n >= 2, d), or not finite (the first such cloud is named).

    Example:
        >>> points = torch.tensor([[[0.0], [1.0], [3.0]]], requires_grad=True)
        >>> deaths = rips_h0(points)
        >>> deaths.detach()
        tensor([[1., 2.]])
        >>> deaths.max().backward()
        >>> points.grad.flatten()
        tensor([ 0., -1.,  1.])

    Source: Section 3.2 for the filtration; that H0 deaths are MST edges is Kruskal's algorithm.
    """
    points = checked_clouds(points)
    trees = find_trees(points)
    if trees is not None:
        return deaths_of_trees(points, trees)
    unit = _unit(points, check_finite)
    chunk = max(1, CHUNK.get(points.device.type, CHUNK['cuda']) // points.shape[1] ** 2)
    return torch.cat([_deaths(*part) for part in zip(points.split(chunk), unit.split(chunk))])


def rips_diagrams(points: Tensor, homology_dims: Sequence[int] = (0,)) -> list[Tensor]:
    """Compute the persistence diagrams of clouds, dimension 0 first, without essential classes.

    Dimension 0 always has n - 1 points, those of duplicates at (0, 0). In dimension 1 the pairs of edges that bear and
    kill a cycle are found by gudhi's Ripser, one thread a core, and their lengths gathered from the points with
    gradient; pairs of zero persistence are dropped, as gudhi does.

    Args:
        points (Tensor): Clouds (B, n, d), n >= 2.
        homology_dims (Sequence[int]): (0, ), (1, ) or (0, 1). Defaults to (0, ).

    Returns:
        list[Tensor]: B diagrams (m_i, 2) of (birth, death), in each dimension in the order of deaths, in the unit of
            the points.

    Raises:
        TypeError: If the points are no floating-point tensor.
        ValueError: If the points are not of shape (B, n >= 2, d) or not finite, or for other dimensions.

    Example:
        >>> square = torch.tensor([[[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]])
        >>> rips_diagrams(square, (0, 1))[0]
        tensor([[0.0000, 1.0000],
                [0.0000, 1.0000],
                [0.0000, 1.0000],
                [1.0000, 1.4142]])

    Source: Section 3.2.
    """
    dims = tuple(homology_dims)
    if dims not in HOMOLOGY_DIMS:
        raise ValueError(
            f'homology_dims must be (0,), (1,) or (0, 1) for diagrams with gradient, got {dims}: RipsNet takes '
            'any, trained on exact diagrams without gradient'
        )
    components = list(as_diagrams(rips_h0(points))) if 0 in dims else []
    cycles = _cycle_diagrams(checked_clouds(points)) if 1 in dims else []
    return [torch.cat(pair) for pair in zip(components, cycles)] if dims == (0, 1) else components + cycles


def _deaths(points: Tensor, unit: Tensor) -> Tensor:
    points = points / unit
    tree = minimum_spanning_tree(squared_distances(points))
    return edge_lengths(points, tree).sort(dim=1).values * unit.squeeze(2)


def as_diagrams(deaths: Tensor) -> Tensor:
    """Give the deaths of dimension 0 their births, 0.

    Args:
        deaths (Tensor): (B, m).

    Returns:
        Tensor: Diagrams (B, m, 2) of (birth, death).

    Example:
        >>> as_diagrams(torch.tensor([[1.0, 2.0]]))
        tensor([[[0., 1.],
                 [0., 2.]]])
    """
    return torch.stack((torch.zeros_like(deaths), deaths), dim=2)


def _cycle_diagrams(points: Tensor) -> list[Tensor]:
    unit = _unit(points, check_finite=True)
    edges = cycle_edges(points)
    # all clouds' edges in one gather, each cloud's list filled up with edges (0, 0)
    padded = torch.nn.utils.rnn.pad_sequence(edges, batch_first=True).to(points.device)
    lengths = (edge_lengths(points / unit, padded.flatten(1, 2)) * unit.squeeze(2)).unflatten(1, (-1, 2))
    return [diagram[: len(pairs)] for diagram, pairs in zip(lengths, edges)]


@torch.no_grad()
def _unit(points: Tensor, check_finite: bool | None) -> Tensor:
    """Return a power of two about as large as the cloud's largest coordinate (B, 1, 1); NaN where one is not finite.

    In this unit, squares of points do not overflow, and dividing by it rounds nothing.
    """
    largest = torch.maximum(points.amax(dim=(1, 2), keepdim=True), -points.amin(dim=(1, 2), keepdim=True))
    finite = largest < torch.inf
    if check_finite or (check_finite is None and on_host(points)):
        refuse_broken(finite.flatten())
    # a number divided by twice its mantissa is a power of two, exactly; a cloud of zeros, or not finite, gets NaN here
    unit = largest / (2 * largest.frexp().mantissa)
    return unit.where(finite, torch.nan).where(largest != 0, 1)
