"""Images of a handful of diagrams of dimension 0 on the CPU; see few_clouds.py for the reason."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import Function

FEW_BUMPS = 2**14
# a Gaussian this far out, 2e-35, is nothing; further out it would be a denormal number, which is slow
LOWEST_EXPONENT = -80.0


def images_of_few(deaths: Tensor, rows: np.ndarray, columns: np.ndarray, exponent: float) -> Tensor:
    """Compute the images of a few diagrams of dimension 0.

    Args:
        deaths (Tensor): (B, m), float32 or float64.
        rows (np.ndarray): Persistences of the rows (rows, ).
        columns (np.ndarray): Factors of the columns (columns, ).
        exponent (float): -1 / (2 sigma^2).

    Returns:
        Tensor: Images (B, rows * columns).

    Example:
        >>> rows, columns = np.array([0.0, 1.0]), np.array([1.0])
        >>> images_of_few(torch.zeros(3, 5, dtype=torch.float64), rows, columns, exponent=-0.5).shape
        torch.Size([3, 2])
    """
    return _Images.apply(deaths, rows, columns, exponent)


class _Images(Function):
    @staticmethod
    def forward(ctx: Any, deaths: Tensor, rows: np.ndarray, columns: np.ndarray, exponent: float) -> Tensor:
        values = deaths.detach().numpy()
        offsets = values[:, :, None] - rows
        bumps, weights = np.exp(np.maximum(exponent * offsets * offsets, LOWEST_EXPONENT)), np.tanh(values)
        ctx.save_for_backward(deaths)
        ctx.saved = offsets, bumps, weights, rows, columns, exponent
        images = (weights[:, None] @ bumps).transpose(0, 2, 1) * columns
        return torch.from_numpy(images.reshape(len(values), -1))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        (deaths,) = ctx.saved_tensors
        offsets, bumps, weights, rows, columns, exponent = ctx.saved
        if torch.is_grad_enabled():  # a graph of the derivative is asked for, which numpy would not be part of
            images = _images(deaths, torch.from_numpy(rows), torch.from_numpy(columns), exponent)
            return *torch.autograd.grad(images, deaths, grad, create_graph=True), None, None, None
        pull = grad.numpy().reshape(len(weights), -1, len(columns)) @ columns[:, None]
        through_weight, through_bump = (bumps @ pull)[..., 0], (offsets * bumps @ pull)[..., 0]
        slope = (1 - weights * weights) * through_weight + 2 * exponent * weights * through_bump
        return torch.from_numpy(slope), None, None, None


def _images(deaths: Tensor, rows: Tensor, columns: Tensor, exponent: float) -> Tensor:
    bumps = (exponent * (deaths.unsqueeze(2) - rows).square()).clamp_min(LOWEST_EXPONENT).exp()
    return ((deaths.tanh().unsqueeze(2) * bumps).sum(dim=1).unsqueeze(2) * columns).flatten(1)
