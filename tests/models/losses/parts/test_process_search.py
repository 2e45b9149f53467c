"""The gradient of a process against differentiation through the step of SGD itself."""

import pytest
import torch
from torch.nn import functional as F

from topkd.models.losses.parts.process_search import process_gradient


@pytest.mark.parametrize('momentum, decay, steps', [(0.0, 0.0, 0), (0.9, 0.0, 2), (0.9, 0.1, 2)])
def test_against_the_derivative_through_a_step(momentum, decay, steps):
    torch.manual_seed(0)
    inputs, targets, other = torch.randn(6, 3).double(), torch.randn(6, 2).double(), torch.randn(6, 3).double()
    theta = [torch.randn(3, 4).double().requires_grad_(), torch.randn(4, 2).double().requires_grad_()]
    unused = torch.randn(2).double().requires_grad_()
    alphas = torch.tensor([0.3, -0.2], dtype=torch.double, requires_grad=True)
    sgd = torch.optim.SGD(
        [dict(params=[theta[0], unused]), dict(params=[theta[1]], lr=0.02)], 0.05, momentum, weight_decay=decay
    )

    def network(x, weights):
        return torch.tanh(x @ weights[0]) @ weights[1]

    def train(weights):
        out = network(inputs, weights)
        terms = torch.stack([F.mse_loss(out, targets), out.abs().mean()])
        return F.mse_loss(out, targets) + (alphas.softmax(0) * terms).sum()

    def valid(weights):
        return network(other, weights).square().mean()

    for _ in range(steps):
        sgd.zero_grad()
        train(theta).backward()
        sgd.step()
    before = [weight.detach().clone() for weight in theta]
    moved = []
    for weight, gradient, rate in zip(theta, torch.autograd.grad(train(theta), theta, create_graph=True), (0.05, 0.02)):
        buffer = sgd.state[weight].get('momentum_buffer', 0) if steps else 0
        moved.append(weight - rate * (momentum * (0 if buffer is None else buffer) + gradient + decay * weight))
    expected = torch.autograd.grad(valid(moved), alphas)[0]
    found = process_gradient(lambda: train(theta), lambda: valid(theta), alphas, [*theta, unused], sgd)
    assert torch.allclose(found, expected, rtol=2e-3, atol=1e-9)
    assert expected.abs().max() > 1e-5
    assert all(torch.equal(weight, old) for weight, old in zip(theta, before))


def test_a_flat_validation_loss_asks_for_nothing():
    theta, alphas = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    sgd = torch.optim.SGD([theta], lr=0.1)
    found = process_gradient(lambda: (alphas * theta).sum(), lambda: 0 * theta.sum(), alphas, [theta], sgd)
    assert found.isfinite().all()
