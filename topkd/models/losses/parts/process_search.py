"""The gradient by which a distillation process is searched: how its weights change what a step of training achieves."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from mmengine.dist import all_reduce
from torch import Tensor

RADIUS = 1e-2  # length of the finite difference, in the authors' code


def process_gradient(
    train_loss: Callable[[], Tensor],
    valid_loss: Callable[[], Tensor],
    alphas: Tensor,
    parameters: Sequence[Tensor],
    optimizer: torch.optim.SGD,
) -> Tensor:
    r"""Differentiate the validation loss after one step of SGD with respect to the weights of the training loss.

    .. math:: \frac{\partial L_\mathrm{val}(\theta - \eta g(\theta, \alpha))}{\partial \alpha} \approx - \eta\,
        \frac{\nabla_\alpha L(\theta + r v, \alpha) - \nabla_\alpha L(\theta - r v, \alpha)}{2 r}, \quad
        v = \nabla L_\mathrm{val}(\theta - \eta g), \quad r = 0.01 / \|v\|

    where g is the step of the optimizer with its momentum and weight decay. Parameters end as they began. On several
    processes all gradients are averaged.

    Args:
        train_loss (Callable): L, a function of ``parameters`` and ``alphas``.
        valid_loss (Callable): L_val, a function of ``parameters``.
        alphas (Tensor): alpha, (P,).
        parameters (Sequence[Tensor]): theta.
        optimizer (torch.optim.SGD): Trains ``parameters``; tells eta, momentum and weight decay, and is not changed.

    Returns:
        Tensor: (P,).

    Example:
        >>> theta, alpha = torch.ones(1, requires_grad=True), torch.tensor([2.0], requires_grad=True)
        >>> sgd = torch.optim.SGD([theta], lr=0.1)
        >>> process_gradient(lambda: (alpha * theta.square()).sum(), lambda: theta.sum(), alpha, [theta], sgd)
        tensor([-0.2000])

    Source: Deng et al., DistPro, bi-level optimization by finite differences as in DARTS (Liu et al. 2019).
    """
    groups = {id(parameter): group for group in optimizer.param_groups for parameter in group['params']}
    rates = [groups[id(parameter)]['lr'] for parameter in parameters]
    with _restored(parameters):
        steps = _gradients(train_loss(), parameters)
        _move(parameters, [_step(p, g, groups[id(p)], optimizer) for p, g in zip(parameters, steps)], -1.0)
        pulls = [rate * pull for rate, pull in zip(rates, _gradients(valid_loss(), parameters))]
    length = torch.stack([pull.norm() for pull in pulls]).norm().clamp_min(torch.finfo(torch.float32).tiny)
    radius = RADIUS / length
    sides = []
    for sign in (1.0, -1.0):
        with _restored(parameters):
            _move(parameters, pulls, sign * radius)
            sides.append(_gradients(train_loss(), [alphas])[0])
    return -(sides[0] - sides[1]) / (2 * radius)


def _gradients(loss: Tensor, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Differentiate, 0 for what the loss does not depend on, and average over all processes."""
    found = torch.autograd.grad(loss, inputs, allow_unused=True)
    gradients = [torch.zeros_like(value) if grad is None else grad for value, grad in zip(inputs, found)]
    for gradient in gradients:
        all_reduce(gradient, 'mean')
    return gradients


def _step(parameter: Tensor, gradient: Tensor, group: dict, optimizer: torch.optim.SGD) -> Tensor:
    """Return what a step of SGD would subtract from a parameter."""
    gradient = gradient + group['weight_decay'] * parameter.detach()
    momentum = optimizer.state[parameter].get('momentum_buffer') if parameter in optimizer.state else None
    return group['lr'] * (gradient if momentum is None else gradient + group['momentum'] * momentum)


@torch.no_grad()
def _move(parameters: Sequence[Tensor], directions: Sequence[Tensor], length: float | Tensor) -> None:
    for parameter, direction in zip(parameters, directions):
        parameter.add_(length * direction)


@contextmanager
def _restored(parameters: Sequence[Tensor]) -> Iterator[None]:
    """Give parameters back their values at the end of the block."""
    values = [parameter.detach().clone() for parameter in parameters]
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, value in zip(parameters, values):
                parameter.copy_(value)
