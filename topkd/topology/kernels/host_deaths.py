"""Deaths of dimension 0 on the CPU: one function of the points, whose derivative is written by hand."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import Function

from topkd.topology.kernels.few_clouds import trees_of_few
from topkd.topology.kernels.pairwise import edge_lengths, on_host
from topkd.topology.kernels.trees import Trees, composed_gradient, pull, trees_of_many


def find_trees(points: Tensor) -> Trees | None:
    """Find the minimum spanning trees of clouds on the CPU.

    Args:
        points (Tensor): Clouds (B, n, d), float32 or float64.

    Returns:
        Trees: None if torch's own operations have to do it: on a GPU, in a compiled graph, or for clouds that are badly
            scaled or not finite.

    Example:
        >>> find_trees(torch.tensor([[[0.0], [1.0], [3.0]]])).edges(n=3).shape
        torch.Size([1, 2, 2])
        >>> find_trees(torch.tensor([[[0.0], [torch.nan]]])) is None
        True
    """
    if not on_host(points):
        return None
    bare = points.detach()
    found = trees_of_few(bare)
    return trees_of_many(bare) if found is None else found


def deaths_of_trees(points: Tensor, trees: Trees) -> Tensor:
    """Return the lengths of trees' edges, ascending, with gradient.

    Args:
        points (Tensor): Clouds (B, n, d) on the CPU.
        trees (Trees): Of these clouds.

    Returns:
        Tensor: Deaths (B, n - 1).

    Example:
        >>> points = torch.tensor([[[0.0], [2.0], [3.0]]])
        >>> deaths_of_trees(points, find_trees(points))
        tensor([[1., 2.]])
    """
    return _Deaths.apply(points, trees.by_length())


class _Deaths(Function):
    @staticmethod
    def forward(ctx: Any, points: Tensor, trees: Trees) -> Tensor:
        deaths = torch.from_numpy(trees.lengths)
        ctx.save_for_backward(points, deaths)
        ctx.trees = trees
        return deaths

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        points, _ = ctx.saved_tensors  # an error if either was changed in place
        trees: Trees = ctx.trees
        if torch.is_grad_enabled():  # a second derivative is asked for
            edges = trees.edges(points.shape[1])
            return composed_gradient(lambda points: edge_lengths(points, edges), points, grad), None
        return pull(points.detach(), trees, grad.numpy()), None
