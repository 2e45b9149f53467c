"""Images of dimension 0 on the CPU: one function from clouds to images, whose derivative is written by hand."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import Function

from topkd.topology.kernels.pairwise import edge_lengths
from topkd.topology.kernels.trees import Trees, composed_gradient, pull

# a Gaussian this far out, 2e-35, is nothing; further out it would be a denormal number, which is slow
LOWEST_EXPONENT = -80.0


def images_of_trees(points: Tensor, trees: Trees, rows: np.ndarray, columns: np.ndarray, exponent: float) -> Tensor:
    r"""Compute the images of clouds of dimension 0 from their trees, with gradient.

    With c the columns' factors and r the rows' persistences, a cloud whose edges have the lengths d has the image

    .. math:: I_{rc} = c \sum_d \tanh(d)\, e^{\mathrm{exponent} (d - r)^2}

    Args:
        points (Tensor): Clouds (B, n, d) on the CPU, float32 or float64.
        trees (Trees): Of these clouds.
        rows (np.ndarray): Persistences of the rows (rows, ).
        columns (np.ndarray): Factors of the columns (columns, ).
        exponent (float): -1 / (2 sigma^2).

    Returns:
        Tensor: Images (B, rows * columns).

    Example:
        >>> trees = Trees(np.array([[2.0]]), np.array([[0]]), np.array([[1]]))
        >>> points = torch.tensor([[[1.0], [3.0]]])
        >>> images_of_trees(points, trees, np.array([1.0, 2.0]), np.ones(1), exponent=-0.5)
        tensor([[0.5847, 0.9640]], dtype=torch.float64)
    """
    return _Images.apply(points, trees, rows, columns, exponent)


class _Images(Function):
    @staticmethod
    def forward(
        ctx: Any, points: Tensor, trees: Trees, rows: np.ndarray, columns: np.ndarray, exponent: float
    ) -> Tensor:
        deaths = trees.lengths
        offsets = deaths[:, :, None] - rows
        bumps, weights = np.exp(np.maximum(exponent * offsets * offsets, LOWEST_EXPONENT)), np.tanh(deaths)
        ctx.save_for_backward(points)
        ctx.saved = trees, offsets, bumps, weights, rows, columns, exponent
        images = (weights[:, None] @ bumps).transpose(0, 2, 1) * columns
        return torch.from_numpy(images.reshape(len(deaths), -1))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None, None]:
        (points,) = ctx.saved_tensors
        trees, offsets, bumps, weights, rows, columns, exponent = ctx.saved
        if torch.is_grad_enabled():  # a second derivative is asked for
            edges, constants = trees.edges(points.shape[1]), (torch.from_numpy(rows), torch.from_numpy(columns))
            composed = composed_gradient(
                lambda points: images_of_deaths(edge_lengths(points, edges), *constants, exponent), points, grad
            )
            return composed, None, None, None, None
        of_rows = grad.numpy().reshape(len(weights), -1, len(columns)) @ columns[:, None]
        through_weight, through_bump = (bumps @ of_rows)[..., 0], (offsets * bumps @ of_rows)[..., 0]
        slopes = (1 - weights * weights) * through_weight + 2 * exponent * weights * through_bump
        return pull(points.detach(), trees, slopes), None, None, None, None


def images_of_deaths(deaths: Tensor, rows: Tensor, columns: Tensor, exponent: Tensor | float) -> Tensor:
    """Compute the images of diagrams of dimension 0 by torch's own operations, on any device.

    Args:
        deaths (Tensor): (B, m).
        rows (Tensor): Persistences of the rows (rows, ).
        columns (Tensor): Factors of the columns (columns, ).
        exponent (Tensor | float): -1 / (2 sigma^2).

    Returns:
        Tensor: Images (B, rows * columns).

    Example:
        >>> images_of_deaths(torch.tensor([[2.0]]), torch.tensor([1.0, 2.0]), torch.ones(1), exponent=-0.5)
        tensor([[0.5847, 0.9640]])
    """
    return ((deaths.tanh().unsqueeze(2) * bumps(deaths, rows, exponent)).sum(dim=1).unsqueeze(2) * columns).flatten(1)


def bumps(values: Tensor, grid: Tensor, exponent: Tensor | float) -> Tensor:
    """Evaluate Gaussians, without their constant, around values (...) at an axis's grid points (..., size).

    Example:
        >>> bumps(torch.tensor([0.0]), torch.tensor([0.0, 2.0]), exponent=-0.5)
        tensor([[1.0000, 0.1353]])
    """
    return ((values.unsqueeze(-1) - grid).square() * exponent).clamp_min(LOWEST_EXPONENT).exp()
