"""Exact diagrams of any dimension without gradient, and which library computes them."""

from collections.abc import Sequence
from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor

from topkd.topology.kernels.gudhi_diagrams import gudhi_diagrams
from topkd.topology.kernels.pairwise import checked_clouds, refuse_broken
from topkd.topology.kernels.spanning_tree import MAX_VERTICES
from topkd.topology.rips import HOMOLOGY_DIMS, as_dims, rips_diagrams


class DiagramBackend(NamedTuple):
    """What computes diagrams.

    Attributes:
        name (str): 'topkd', 'topkd and gudhi' or 'gudhi', with gudhi's version.
        reason (str): Which part is done by what, and why.

    Example:
        >>> DiagramBackend('topkd', 'dimension 0').name
        'topkd'
    """

    name: str
    reason: str


def diagram_backend(num_points: int, homology_dims: Sequence[int]) -> DiagramBackend:
    """Say what :func:`diagrams_without_gradient` computes diagrams by.

    Args:
        num_points (int): n, points of a cloud.
        homology_dims (Sequence[int]): Dimensions, ascending.

    Returns:
        DiagramBackend: Its name, and the reason.

    Raises:
        ModuleNotFoundError: If gudhi is needed and not installed.
        TypeError: If the dimensions are no sequence.
        ValueError: If the dimensions are not ascending whole numbers from 0 on.

    Example:
        >>> diagram_backend(64, (0,)).name
        'topkd'
    """
    dims = as_dims(homology_dims)
    if not dims or not all(isinstance(dim, Integral) and dim >= 0 for dim in dims) or dims != tuple(sorted(set(dims))):
        raise ValueError(f'homology_dims must be ascending whole numbers from 0 on, such as (0,) or (0, 1), got {dims}')
    if dims == (0,) and num_points <= MAX_VERTICES:
        return DiagramBackend('topkd', 'dimension 0: minimum spanning trees of many clouds at once')
    gudhi = _gudhi()
    if dims not in HOMOLOGY_DIMS:
        return DiagramBackend(gudhi, f'topkd has dimensions 0 and 1, asked for {max(dims)}')
    if 0 in dims and num_points > MAX_VERTICES:
        return DiagramBackend(gudhi, f"topkd's spanning trees take {MAX_VERTICES} points, a cloud has {num_points}")
    return DiagramBackend(
        f'topkd and {gudhi}',
        "dimension 1: pairs of edges by gudhi's Ripser, lengths by topkd"
        + (', dimension 0: minimum spanning trees' if 0 in dims else ''),
    )


@torch.no_grad()
def diagrams_without_gradient(points: Tensor, homology_dims: Sequence[int] = (0,)) -> list[Tensor]:
    """Compute diagrams of any dimension, without gradient and without essential classes.

    Where :func:`topkd.topology.rips_diagrams` can, by that; otherwise by gudhi, see :func:`diagram_backend`.

    Args:
        points (Tensor): Clouds (B, n, d), n >= 2.
        homology_dims (Sequence[int]): Dimensions, ascending. Defaults to (0, ).

    Returns:
        list[Tensor]: B diagrams (m_i, 2) of (birth, death), one dimension after the other, each in the order of deaths.

    Raises:
        TypeError: If the points are no floating-point tensor, or the dimensions no sequence.
        ValueError: If the points are not of shape (B, n >= 2, d) or not finite, or the dimensions not ascending.

    Example:
        >>> square = torch.tensor([[[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]])
        >>> diagrams_without_gradient(square, (1,))[0]
        tensor([[1.0000, 1.4142]])

    Source: Section 3.2.
    """
    points = checked_clouds(points)
    refuse_broken(points.isfinite().flatten(1).all(dim=1))  # on a GPU, dimension 0 does not look
    by_gudhi = diagram_backend(points.shape[-2], homology_dims).name.startswith('gudhi')
    return (gudhi_diagrams if by_gudhi else rips_diagrams)(points, homology_dims)


def _gudhi() -> str:
    import gudhi

    return f'gudhi {gudhi.__version__}'
