import numpy as np
import pytest
import torch

from topkd.topology import PersistenceLandscape, PersLay, pad_diagrams, rips_diagrams
from topkd.topology.perslay import OPERATORS, TRANSFORMATIONS


def make_diagrams():
    generator = torch.Generator().manual_seed(0)
    points = [torch.randn(n, 2, generator=generator, dtype=torch.float64) for n in (12, 9, 14)]
    points[0][1] = points[0][0]  # a point (0, 0)
    return rips_diagrams(points, (0, 1))


def make_layer(transformation, operator, power=1.0):
    torch.manual_seed(0)
    return PersLay(6, transformation, operator, power, sample_range=(0.0, 2.0)).double()


def by_formula(layer, diagram):
    """Return the vector of one diagram, point by point in numpy."""
    weights = {name: tensor.detach().numpy() for name, tensor in layer.named_parameters()}
    low, high = layer.sample_range.numpy()
    rows = []
    for birth, death in (diagram.detach().numpy() - low) / (high - low):
        if layer.transformation == 'gaussian':
            distance = np.hypot(weights['centers'][:, 0] - birth, weights['centers'][:, 1] - death)
            phi = np.exp(-(distance**2) / (2 * weights['bandwidth'] ** 2))
        elif layer.transformation == 'triangle':
            phi = np.maximum(0, np.minimum(weights['samples'] - birth, death - weights['samples']))
        else:
            phi = weights['lines.weight'] @ np.array([birth, death]) + weights['lines.bias']
        rows.append(weights['scale'] * (death - birth) ** layer.power * phi)
    return getattr(np, layer.operator)(rows, axis=0)


@pytest.mark.parametrize('power', [0.0, 0.5, 2.0])
@pytest.mark.parametrize('operator', OPERATORS)
@pytest.mark.parametrize('transformation', TRANSFORMATIONS)
def test_forward_is_the_formula(transformation, operator, power):
    layer, diagrams = make_layer(transformation, operator, power), make_diagrams()
    found = layer(diagrams)
    for vector, diagram in zip(found, diagrams):
        np.testing.assert_allclose(vector.detach(), by_formula(layer, diagram), rtol=1e-10)


def test_largest_triangle_is_the_first_landscape():
    layer, diagrams = make_layer('triangle', 'max', power=0.0), make_diagrams()
    with torch.no_grad():
        layer.samples.copy_(torch.linspace(0, 1, 6))
    landscape = PersistenceLandscape(1, 6, sample_range=(0.0, 2.0)).double()
    torch.testing.assert_close(2 * layer(diagrams), landscape(diagrams))  # the layer's unit is the range


@pytest.mark.parametrize('operator', OPERATORS)
@pytest.mark.parametrize('transformation', TRANSFORMATIONS)
def test_gradients_are_derivatives(transformation, operator):
    layer = make_layer(transformation, operator, power=2.0)
    diagrams = [diagram[diagram[:, 1] > 0].requires_grad_() for diagram in make_diagrams()[:2]]
    torch.autograd.gradcheck(lambda *diagrams: layer(diagrams), diagrams)
    layer(diagrams).sum().backward()
    assert all(parameter.grad.isfinite().all() and parameter.grad.any() for parameter in layer.parameters())


@pytest.mark.parametrize('power', [0.0, 0.5, 1.0])
def test_points_on_the_diagonal_give_no_nan(power):
    layer, diagram = make_layer('gaussian', 'sum', power), make_diagrams()[0].requires_grad_()
    layer([diagram]).sum().backward()
    assert diagram.grad.isfinite().all() and diagram.grad.any()


@pytest.mark.parametrize('operator', OPERATORS)
@pytest.mark.parametrize('transformation', TRANSFORMATIONS)
def test_padding_has_no_part_in_a_vector(transformation, operator):
    layer, diagrams = make_layer(transformation, operator, power=0.0), make_diagrams()
    alone = torch.cat([layer([diagram]) for diagram in diagrams])
    torch.testing.assert_close(layer(diagrams), alone)
    with_empty = layer([*diagrams, torch.empty(0, 2)])
    torch.testing.assert_close(with_empty[:3], alone)
    assert not with_empty[3].any() and not layer([torch.empty(0, 2)]).any()
    assert layer(pad_diagrams(diagrams).points).shape == (3, 6)


def test_it_learns_to_tell_circles_from_blobs():
    generator = torch.Generator().manual_seed(0)
    angles = 6.283 * torch.rand(16, 24, generator=generator)
    circles = torch.stack((angles.cos(), angles.sin()), dim=2)
    blobs = 0.5 * torch.randn(16, 24, 2, generator=generator)
    diagrams = rips_diagrams(torch.cat([circles, blobs]), (1,))
    labels = torch.cat([torch.ones(16), torch.zeros(16)])
    torch.manual_seed(0)
    network = torch.nn.Sequential(PersLay(10).fit(diagrams), torch.nn.Linear(10, 1))
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
    for _ in range(60):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(diagrams).squeeze(1), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert ((network(diagrams).squeeze(1) > 0) == labels.bool()).float().mean() > 0.9


def test_state_and_arguments():
    diagrams, layer = make_diagrams(), PersLay(6)
    with pytest.raises(RuntimeError, match=r'PersLay was not fitted: call fit\(diagrams\)'):
        layer(diagrams)
    other = PersLay(6)
    other.load_state_dict(layer.fit(diagrams).state_dict())
    assert torch.equal(other(diagrams), layer(diagrams)) and "operator='sum'" in repr(layer)
    for arguments, message in (
        (dict(size=0), 'size must be'),
        (dict(transformation='tent'), 'transformation must be'),
        (dict(operator='median'), 'operator must be'),
        (dict(power=-1.0), 'power must be'),
    ):
        with pytest.raises(ValueError, match=message):
            PersLay(**arguments)
