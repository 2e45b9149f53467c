"""Vietoris-Rips persistence of batches of point clouds, exact and differentiable."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from topkd.topology.kernels.cycles import cycle_edges, cycle_edges_of_matrices
from topkd.topology.kernels.host_deaths import deaths_of_trees, find_trees
from topkd.topology.kernels.matrices import checked_matrices, entries
from topkd.topology.kernels.pairwise import checked_clouds, edge_lengths, on_host, refuse_broken, squared_distances
from topkd.topology.kernels.spanning_tree import minimum_spanning_tree
from topkd.topology.kernels.trees import CHUNK

HOMOLOGY_DIMS = ((0,), (1,), (0, 1))


def rips_h0(points: Tensor, check_finite: bool | None = None, distance_matrix: bool = False) -> Tensor:
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
        distance_matrix (bool): Whether ``points`` are distance matrices (B, n, n) instead, symmetric, of any metric or
            none; the gradient is then a symmetric matrix. Defaults to False.

    Returns:
        Tensor: Deaths (B, n - 1), ascending, in the unit of the points.

    Raises:
        TypeError: If the points are no floating-point tensor.
        ValueError: If they are not of shape (B, n >= 2, d), or not finite (the first such cloud is named), or are
            matrices that are no distance matrices.

    Example:
        >>> points = torch.tensor([[[0.0], [1.0], [3.0]]], requires_grad=True)
        >>> deaths = rips_h0(points)
        >>> deaths.detach()
        tensor([[1., 2.]])
        >>> deaths.max().backward()
        >>> points.grad.flatten()
        tensor([ 0., -1.,  1.])
        >>> rips_h0(torch.cdist(points.detach(), points.detach()), distance_matrix=True)
        tensor([[1., 2.]])

    Source: Section 3.2 for the filtration; that H0 deaths are MST edges is Kruskal's algorithm.
    """
    if distance_matrix:
        return _deaths_of_matrices(checked_matrices(points))
    points = checked_clouds(points)
    trees = find_trees(points)
    if trees is not None:
        return deaths_of_trees(points, trees)
    unit = _unit(points, check_finite)
    chunk = _chunk(points)
    return torch.cat([_deaths(*part) for part in zip(points.split(chunk), unit.split(chunk))])


def rips_diagrams(
    points: Tensor | Sequence[Tensor], homology_dims: Sequence[int] = (0,), distance_matrix: bool = False
) -> list[Tensor]:
    """Compute the persistence diagrams of clouds, dimension 0 first, without essential classes.

    Dimension 0 always has n - 1 points, those of duplicates at (0, 0). In dimension 1 the pairs of edges that bear and
    kill a cycle are found by gudhi's Ripser, one thread a core, and their lengths gathered from the points with
    gradient; pairs of zero persistence are dropped, as gudhi does.

    Args:
        points (Tensor | Sequence[Tensor]): Clouds (B, n, d), n >= 2, or a list of clouds (n_i, d) of different sizes;
            those of one size are computed together.
        homology_dims (Sequence[int]): (0, ), (1, ) or (0, 1). Defaults to (0, ).
        distance_matrix (bool): Whether ``points`` are distance matrices (B, n, n), or a list of (n_i, n_i), instead.
            Defaults to False.

    Returns:
        list[Tensor]: B diagrams (m_i, 2) of (birth, death), in each dimension in the order of deaths, in the unit of
            the points.

    Raises:
        TypeError: If the points are no floating-point tensor, or the dimensions no sequence.
        ValueError: If the points are not of shape (B, n >= 2, d) or not finite, are matrices that are no distance
            matrices, or for other dimensions.

    Example:
        >>> square = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
        >>> rips_diagrams(square[None], (0, 1))[0]
        tensor([[0.0000, 1.0000],
                [0.0000, 1.0000],
                [0.0000, 1.0000],
                [1.0000, 1.4142]])
        >>> [len(diagram) for diagram in rips_diagrams([square, square[:2]])]
        [3, 1]

    Source: Section 3.2.
    """
    dims = as_dims(homology_dims)
    if dims not in HOMOLOGY_DIMS:
        raise ValueError(
            f'homology_dims must be (0,), (1,) or (0, 1) for diagrams with gradient, got {dims}: RipsNet takes '
            'any, trained on exact diagrams without gradient'
        )
    if not isinstance(points, Tensor) and isinstance(points, Sequence):
        return by_size(lambda batch: rips_diagrams(batch, dims, distance_matrix), points)
    components = list(as_diagrams(rips_h0(points, distance_matrix=distance_matrix))) if 0 in dims else []
    cycles: list[Tensor] = []
    if 1 in dims:
        of_points, of_matrices = (checked_clouds, _cycle_diagrams), (checked_matrices, _cycle_diagrams_of_matrices)
        check, compute = of_matrices if distance_matrix else of_points
        cycles = compute(check(points))
    return [torch.cat(pair) for pair in zip(components, cycles)] if dims == (0, 1) else components + cycles


def as_dims(homology_dims: Sequence[int]) -> tuple[int, ...]:
    """Return homology dimensions as a tuple.

    Raises:
        TypeError: If they are no sequence.

    Example:
        >>> as_dims([0, 1])
        (0, 1)
    """
    if not isinstance(homology_dims, Iterable):
        raise TypeError(f'homology_dims must be a sequence such as (0,) or (0, 1), got {homology_dims!r}')
    return tuple(homology_dims)


def by_size(compute: Callable[[Tensor], list[Tensor]], clouds: Sequence[Tensor]) -> list[Tensor]:
    """Apply a function of batches to clouds of different sizes, all of one size at once.

    Args:
        compute (Callable): From a batch (B, n, d) to B tensors.
        clouds (Sequence[Tensor]): Clouds (n_i, d).

    Returns:
        list[Tensor]: One entry a cloud, in their order.

    Raises:
        TypeError: If the function refuses the kind of a group of clouds; the message says which.
        ValueError: If a cloud is no tensor (n, d), or the function refuses a group of clouds.

    Example:
        >>> by_size(lambda batch: list(batch.sum(dim=(1, 2))), [torch.ones(2, 3), torch.ones(4, 3)])
        [tensor(6.), tensor(12.)]
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, cloud in enumerate(clouds):
        if not isinstance(cloud, Tensor) or cloud.ndim != 2:
            got = tuple(cloud.shape) if isinstance(cloud, Tensor) else type(cloud).__name__
            raise ValueError(f'a list of clouds must hold tensors (n, d), got {got} at {index}')
        groups.setdefault(tuple(cloud.shape), []).append(index)
    found: dict[int, Tensor] = {}
    for indices in groups.values():
        try:
            found.update(zip(indices, compute(torch.stack([clouds[index] for index in indices]))))
        except (TypeError, ValueError) as error:
            raise type(error)(f'clouds {indices} of the list, taken together: {error}') from error
    return [found[index] for index in range(len(clouds))]


def _deaths_of_matrices(distances: Tensor) -> Tensor:
    edges = torch.cat([minimum_spanning_tree(part.detach()) for part in distances.split(_chunk(distances))])
    return entries(distances, edges).sort(dim=1).values


def _chunk(points: Tensor) -> int:
    return max(1, CHUNK.get(points.device.type, CHUNK['cuda']) // points.shape[1] ** 2)


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
    return _with_lengths(
        cycle_edges(points), lambda edges: edge_lengths(points / unit, edges.to(points.device)) * unit.squeeze(2)
    )


def _cycle_diagrams_of_matrices(distances: Tensor) -> list[Tensor]:
    return _with_lengths(cycle_edges_of_matrices(distances), lambda edges: entries(distances, edges))


def _with_lengths(pairs: list[Tensor], measure: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Replace pairs of edges by pairs of lengths: all clouds' in one call, filled up with edges (0, 0)."""
    padded = torch.nn.utils.rnn.pad_sequence(pairs, batch_first=True)
    lengths = measure(padded.flatten(1, 2)).unflatten(1, (-1, 2))
    return [diagram[: len(own)] for diagram, own in zip(lengths, pairs)]


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
