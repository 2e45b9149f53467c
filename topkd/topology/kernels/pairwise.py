"""Distances between the points of a cloud: all pairs without gradient, chosen pairs with gradient."""

import torch
from torch import Tensor

# Squared distances by matrix product are off by at most c * eps * (|x|^2 + |y|^2); c stayed below 8 in float32 and
# below 100 in float64 for widths 2 to 4096. Pairs whose squared distance is a smaller share of |x|^2 + |y|^2 than this
# are computed from differences, which leaves a relative error of at most 1e-5 in float32 and 3e-11 in float64.
NEAR = {torch.float32: 0.1, torch.float64: 1e-3}
REPAIRED_NUMBERS = 2**22


def checked_clouds(points: Tensor) -> Tensor:
    """Return clouds in float32 or float64.

    Args:
        points (Tensor): Clouds (B, n, d).

    Raises:
        TypeError: If the points are no floating-point tensor.
        ValueError: If they are not of shape (B, n >= 2, d).

    Example:
        >>> checked_clouds(torch.zeros(1, 2, 3, dtype=torch.float16)).dtype
        torch.float32
    """
    refuse_other_kinds('points', points)
    if points.ndim != 3 or points.shape[1] < 2 or 0 in points.shape:
        raise ValueError(f'points must be clouds (B, n, d) of n >= 2 points, got {tuple(points.shape)}')
    return points if points.dtype == torch.float64 else points.float()


def refuse_other_kinds(name: str, values: object) -> None:
    """Refuse what is no tensor of floating-point numbers.

    Args:
        name (str): What the values are, for the message.
        values (object): What a user gave.

    Raises:
        TypeError: If they are something else.

    Example:
        >>> refuse_other_kinds('points', torch.zeros(1, 2, 3))
    """
    if not isinstance(values, Tensor):
        raise TypeError(
            f'{name} must be a floating-point tensor, got {type(values).__name__}: convert them with '
            'torch.as_tensor(...).float()'
        )
    if not values.is_floating_point():
        raise TypeError(f'{name} must be a floating-point tensor, got {values.dtype}: convert them with .float()')


def refuse_broken(finite: Tensor) -> None:
    """Refuse clouds that are not finite; the host looks at the values.

    Args:
        finite (Tensor): Whether all points of a cloud are finite (B, ).

    Raises:
        ValueError: Naming the first cloud that is not.

    Example:
        >>> refuse_broken(torch.tensor([True, True]))
    """
    if not finite.all():
        cloud = int((~finite).nonzero()[0])
        raise ValueError(f'points of cloud {cloud} are not all finite: find where features became NaN or infinite')


def on_host(tensor: Tensor) -> bool:
    """Return whether values may be looked at, and given to numpy: on the CPU, and not in a compiled graph.

    Example:
        >>> on_host(torch.zeros(1))
        True
    """
    return tensor.device.type == 'cpu' and not torch.compiler.is_compiling()


def may_multiply(points: Tensor) -> bool:
    """Return whether distances may come from matrix products: where values may be looked at, in full precision.

    Example:
        >>> may_multiply(torch.zeros(1, 2, 3))
        True
    """
    return on_host(points) and torch.get_float32_matmul_precision() == 'highest'


@torch.no_grad()
def squared_distances(points: Tensor) -> Tensor:
    """Compute all squared distances within each cloud, each to a small relative error.

    On the CPU by matrix product of the centered points, repaired where two points are near each other. On a GPU, where
    the repair would wait for the device and a matrix product may be rounded to TF32, from differences.

    Args:
        points (Tensor): Clouds (B, n, d), float32 or float64.

    Returns:
        Tensor: (B, n, n), with 0 or infinity on the diagonal. Without gradient.

    Example:
        >>> squared_distances(torch.tensor([[[0.0], [1.0], [3.0]]]))[0, 0, 1:]
        tensor([1., 9.])
    """
    if not may_multiply(points):
        return torch.cdist(points, points, compute_mode='donot_use_mm_for_euclid_dist').square_()
    with torch.autocast('cpu', enabled=False):
        return _products_repaired(points)


def _products_repaired(points: Tensor) -> Tensor:
    centered = points - points.mean(dim=1, keepdim=True)
    norms = centered.square().sum(dim=2)
    squared = torch.baddbmm(norms.unsqueeze(1), centered, centered.mT, alpha=-2).add_(norms.unsqueeze(2))
    squared.diagonal(dim1=1, dim2=2).fill_(torch.inf)
    shares = NEAR[points.dtype] * norms
    # one number a cloud often rules out the search for near pairs
    if (squared.amin(dim=(1, 2)) < 2 * shares.amax(dim=1)).any():
        near = (squared < shares.unsqueeze(1) + shares.unsqueeze(2)).nonzero()
        for part in near.split(max(1, REPAIRED_NUMBERS // points.shape[2])):
            cloud, i, j = part.unbind(1)
            squared[cloud, i, j] = (points[cloud, i] - points[cloud, j]).square_().sum(dim=1)
    return squared


def edge_lengths(points: Tensor, edges: Tensor) -> Tensor:
    r"""Compute the lengths of given edges, :math:`|x_i - x_j|`, with gradient.

    An edge of length 0 gets the gradient 0, which is a subgradient, and the second derivative 0.

    Args:
        points (Tensor): Clouds (B, n, d).
        edges (Tensor): End points (B, m, 2), int64.

    Returns:
        Tensor: Lengths (B, m).

    Example:
        >>> edge_lengths(torch.tensor([[[0.0], [1.0], [3.0]]]), torch.tensor([[[0, 1], [1, 2]]]))
        tensor([[1., 2.]])
    """
    first, second = _end_points(points, edges)
    differences = first - second
    lengths = torch.linalg.vector_norm(differences, dim=2)
    apart = lengths.detach() != 0
    if on_host(lengths) and apart.all():
        return lengths
    # torch's second derivative of a norm is NaN at 0, even for a gradient of 0
    return torch.linalg.vector_norm(differences.where(apart.unsqueeze(2), 1), dim=2).where(apart, 0)


def _end_points(points: Tensor, edges: Tensor) -> tuple[Tensor, Tensor]:
    count, n, width = points.shape
    rows = edges + n * torch.arange(count, device=points.device).view(-1, 1, 1)
    # index_select, because its backward is one index_add
    ends = points.reshape(count * n, width).index_select(0, rows.permute(2, 0, 1).flatten())
    first, second = ends.view(2, count, edges.shape[1], width).unbind(0)
    return first, second
