"""Distances between clouds by their components (dimension 0), differentiable; each is a loss of its own.

Correspondence-free, of two diagrams: :func:`wasserstein_h0`, :func:`sliced_wasserstein_h0`. Correspondence-aware,
where point i of one cloud belongs to point i of the other one: :func:`signature_loss`, :func:`rtd_lite`.
"""

import math

import torch
from torch import Tensor

from topkd.topology.kernels.pairwise import checked_clouds, edge_lengths, refuse_other_kinds, squared_distances
from topkd.topology.kernels.spanning_tree import minimum_spanning_tree
from topkd.utils.checks import whole


def wasserstein_h0(deaths_a: Tensor, deaths_b: Tensor, p: float = 1.0) -> Tensor:
    r"""Compute the Wasserstein-p distance of deaths on the line.

    .. math:: W_p = \Big(\frac{1}{m} \sum_k |a_{(k)} - b_{(k)}|^p\Big)^{1/p}

    Sorted values are the optimal matching on the line, for every p >= 1. A distance between diagrams may match points
    with the diagonal too, so it is at most this one (times :math:`m^{1/p}`, where it sums instead of averaging), and
    the same once the deaths differ little. Here every death keeps its pull, however far it is.

    Args:
        deaths_a (Tensor): (B, m), in any order.
        deaths_b (Tensor): (B, m), in any order.
        p (float): 1 or more, infinity allowed. Defaults to 1.0.

    Returns:
        Tensor: (B, ), in the unit of the deaths.

    Raises:
        TypeError: If the deaths are no floating-point tensors.
        ValueError: If the shapes differ or p is below 1.

    Example:
        >>> wasserstein_h0(torch.tensor([[3.0, 1.0]]), torch.tensor([[1.0, 2.0]]))
        tensor([0.5000])

    Source: Peyre and Cuturi, Computational optimal transport, 2019, Remark 2.28.
    """
    _check_deaths(deaths_a, deaths_b)
    if not p >= 1:
        raise ValueError(f'p must be 1 or more, got {p}')
    difference = deaths_a.sort(dim=1).values - deaths_b.sort(dim=1).values
    return torch.linalg.vector_norm(difference, ord=p, dim=1) / deaths_a.shape[1] ** (1 / p)


def sliced_wasserstein_h0(
    deaths_a: Tensor, deaths_b: Tensor, num_directions: int = 16, diagonal: bool = True
) -> Tensor:
    r"""Compute the sliced Wasserstein distance of two diagrams of dimension 0.

    All points lie on the axis birth = 0, so the projection of (0, a) on direction theta is a sin(theta), and that of
    its nearest point on the diagonal a (cos(theta) + sin(theta)) / 2. With :math:`\|.\|` the distance of sorted
    values,

    .. math:: SW = \frac{1}{\pi} \int_{-\pi/2}^{\pi/2}
        \Big\| \big(a \sin\theta,\ b \tfrac{\cos\theta + \sin\theta}{2}\big) -
               \big(b \sin\theta,\ a \tfrac{\cos\theta + \sin\theta}{2}\big) \Big\|_1 d\theta

    where each diagram is joined by the diagonal points of the other one. Each direction is exact, their mean is over
    ``num_directions``. Without the diagonal the integral is closed: :math:`\frac{2}{\pi} \sum_k |a_{(k)} - b_{(k)}|`.

    Args:
        deaths_a (Tensor): (B, m), in any order.
        deaths_b (Tensor): (B, m), in any order.
        num_directions (int): Number of directions, even from -pi/2 on. Defaults to 16.
        diagonal (bool): Whether diagrams are joined by diagonal points, as by Carriere et al. Defaults to True.

    Returns:
        Tensor: (B, ), in the unit of the deaths.

    Raises:
        TypeError: If the deaths are no floating-point tensors.
        ValueError: If the shapes differ, or there is no direction.

    Example:
        >>> sliced_wasserstein_h0(torch.tensor([[1.0, 3.0]]), torch.tensor([[3.0, 1.0]]))
        tensor([0.])
        >>> sliced_wasserstein_h0(torch.tensor([[1.0]]), torch.tensor([[0.0]]), diagonal=False)
        tensor([0.6366])

    Source: Carriere, Cuturi and Oudot, Sliced Wasserstein kernel for persistence diagrams, 2017.
    """
    _check_deaths(deaths_a, deaths_b)
    whole('num_directions', num_directions, at_least=1)
    if not diagonal:
        return 2 / math.pi * deaths_a.shape[1] * wasserstein_h0(deaths_a, deaths_b)
    steps = torch.arange(num_directions, device=deaths_a.device, dtype=deaths_a.dtype)
    angle = (math.pi * (steps / num_directions - 0.5)).unsqueeze(1)
    own, other = angle.sin(), (angle.cos() + angle.sin()) / 2
    a, b = deaths_a.unsqueeze(1), deaths_b.unsqueeze(1)
    first = torch.cat((a * own, b * other), dim=2).sort(dim=2).values
    second = torch.cat((b * own, a * other), dim=2).sort(dim=2).values
    return (first - second).abs().sum(dim=2).mean(dim=1)


def signature_loss(points_a: Tensor, points_b: Tensor) -> Tensor:
    r"""Compare the lengths, in both clouds, of the edges of either cloud's minimum spanning tree.

    .. math:: \frac{1}{2} \sum_{e \in \mathrm{MST}(A)} (|e|_A - |e|_B)^2 + \frac{1}{2} \sum_{e \in \mathrm{MST}(B)}
        (|e|_A - |e|_B)^2

    Distances are compared as they are: bring clouds of different scale to a common one first.

    Args:
        points_a (Tensor): Clouds (B, n, d).
        points_b (Tensor): Clouds (B, n, d'), point by point the same things as ``points_a``.

    Returns:
        Tensor: (B, ), in the squared unit of the points.

    Raises:
        ValueError: If B or n differ.

    Example:
        >>> cloud = torch.tensor([[[0.0], [1.0], [3.0]]])
        >>> signature_loss(cloud, 2 * cloud)
        tensor([5.])

    Source: Moor, Horn, Rieck and Borgwardt, Topological autoencoders, 2020, Equations 3 and 4.
    """
    points_a, points_b = _checked_pair(points_a, points_b)
    edges = torch.cat([minimum_spanning_tree(squared_distances(points)) for points in (points_a, points_b)], dim=1)
    return (edge_lengths(points_a, edges) - edge_lengths(points_b, edges)).square().sum(dim=1) / 2


def rtd_lite(points_a: Tensor, points_b: Tensor) -> Tensor:
    r"""Compute RTD-Lite: by how much the clouds' trees are heavier than the tree of the smaller of both distances.

    .. math:: \tfrac{1}{2} \big(|\mathrm{MST}(A)| + |\mathrm{MST}(B)|\big) - |\mathrm{MST}(\min(A, B))|

    with \|.\| the total weight and the weights of A and B their distances, divided by their 0.9 quantile (of all
    entries of the distance matrix, as by the authors). It is the sum of the lengths of the intervals of both RTD-Lite
    barcodes, halved; 0 if the clouds are equal up to scale.

    Args:
        points_a (Tensor): Clouds (B, n, d).
        points_b (Tensor): Clouds (B, n, d'), point by point the same things as ``points_a``.

    Returns:
        Tensor: (B, ), without unit.

    Raises:
        ValueError: If B or n differ.

    Example:
        >>> cloud = torch.tensor([[[0.0], [1.0], [3.0]]])
        >>> rtd_lite(cloud, 2 * cloud), rtd_lite(cloud, cloud[:, [0, 2, 1]]) > 0
        (tensor([0.]), tensor([True]))

    Source: Tulchinskii et al., RTD-Lite: scalable topological analysis for comparing weighted graphs, 2025.
    """
    points_a, points_b = _checked_pair(points_a, points_b)
    squared = [squared_distances(points) for points in (points_a, points_b)]
    units = [_quantile_distance(points, weights) for points, weights in zip((points_a, points_b), squared)]
    scaled = [weights / unit.detach().square().unsqueeze(2) for weights, unit in zip(squared, units)]
    length_a, length_b = (
        (edge_lengths(points, minimum_spanning_tree(weights)) / unit).sum(dim=1)
        for points, unit, weights in zip((points_a, points_b), units, squared)
    )
    edges = minimum_spanning_tree(torch.minimum(*scaled))
    shorter = torch.minimum(edge_lengths(points_a, edges) / units[0], edge_lengths(points_b, edges) / units[1])
    return (length_a + length_b) / 2 - shorter.sum(dim=1)


def _quantile_distance(points: Tensor, squared: Tensor, quantile: float = 0.9) -> Tensor:
    """Return the quantile (B, 1) of a distance matrix's entries, with gradient: n zeros, and each pair twice."""
    n = points.shape[1]
    pairs = torch.triu_indices(n, n, 1, device=points.device)
    rank = squared[:, pairs[0], pairs[1]].argsort(dim=1)
    position = quantile * (n * n - 1)
    around = [(math.floor(position) - n) // 2, (math.ceil(position) - n) // 2]
    below, above = edge_lengths(points, pairs.T[rank[:, around]]).split(1, dim=1)
    # where all points are one, all lengths are 0 and may be divided by anything
    return torch.lerp(below, above, position % 1).clamp_min(torch.finfo(points.dtype).tiny)


def _check_deaths(deaths_a: Tensor, deaths_b: Tensor) -> None:
    refuse_other_kinds('deaths', deaths_a)
    refuse_other_kinds('deaths', deaths_b)
    if deaths_a.ndim != 2 or deaths_a.shape != deaths_b.shape:
        raise ValueError(
            f'deaths must be (B, m), as many on both sides, got {tuple(deaths_a.shape)} and {tuple(deaths_b.shape)}'
        )


def _checked_pair(points_a: Tensor, points_b: Tensor) -> tuple[Tensor, Tensor]:
    points_a, points_b = checked_clouds(points_a), checked_clouds(points_b)
    if points_a.shape[:2] != points_b.shape[:2]:
        raise ValueError(
            'clouds must have the same number B of clouds and n of points, got '
            f'{tuple(points_a.shape)} and {tuple(points_b.shape)}'
        )
    return points_a, points_b
