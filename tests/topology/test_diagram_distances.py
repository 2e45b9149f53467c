import itertools
import math

import numpy as np
import pytest
import torch

from topkd.topology import rips_diagrams, wasserstein_distance


def make_diagram(count, seed):
    births, lives = torch.rand(2, count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.stack((births, births + lives), dim=1)


def norm(vector, internal_p):
    return max(abs(vector)) if internal_p == math.inf else (abs(vector) ** internal_p).sum() ** (1 / internal_p)


def brute_force(a, b, order, internal_p):
    """Return the least cost over all matchings, each point with a point of the other diagram or its own projection."""
    a, b, best = a.numpy(), b.numpy(), math.inf
    own_a, own_b = ([norm(point - point.mean(), internal_p) ** order for point in diagram] for diagram in (a, b))
    for k in range(min(len(a), len(b)) + 1):
        for rows in itertools.combinations(range(len(a)), k):
            for columns in itertools.permutations(range(len(b)), k):
                cost = sum(norm(a[i] - b[j], internal_p) ** order for i, j in zip(rows, columns))
                cost += sum(c for i, c in enumerate(own_a) if i not in rows)
                cost += sum(c for j, c in enumerate(own_b) if j not in columns)
                best = min(best, cost)
    return best ** (1 / order)


@pytest.mark.parametrize('order', [1.0, 2.0, 3.5])
@pytest.mark.parametrize('internal_p', [1.0, 2.0, math.inf])
def test_equals_the_best_of_all_matchings(order, internal_p):
    for sizes in ((4, 4), (3, 5), (0, 3), (2, 0), (0, 0)):
        a, b = make_diagram(sizes[0], 1), make_diagram(sizes[1], 2)
        (found,) = wasserstein_distance([a], [b], order, internal_p)
        assert float(found) == pytest.approx(brute_force(a, b, order, internal_p), rel=1e-9)


@pytest.mark.parametrize('order', [1.0, 2.0])
def test_is_a_metric_between_diagrams_of_cycles(order):
    points = torch.randn(3, 30, 2, generator=torch.Generator().manual_seed(0))
    diagrams = rips_diagrams(points, (1,))
    a, b, c = (wasserstein_distance([diagrams[i]], [diagrams[j]], order) for i, j in ((0, 1), (1, 2), (0, 2)))
    assert c <= a + b and torch.equal(a, wasserstein_distance([diagrams[1]], [diagrams[0]], order))
    assert not wasserstein_distance(diagrams, diagrams, order).any()
    shuffled = [diagram.flip(0) for diagram in diagrams]
    assert not wasserstein_distance(diagrams, shuffled, order).any()


def test_gradient_by_hand():
    a = torch.tensor([[1.0, 3.0], [0.0, 0.2]], requires_grad=True)
    b = torch.tensor([[1.5, 3.0]])
    (distance,) = wasserstein_distance([a], [b])
    assert distance.item() == pytest.approx(0.6)  # 0.5 along the births, and half of the life of the short one
    distance.backward()
    torch.testing.assert_close(a.grad, torch.tensor([[-1.0, 0.0], [-0.5, 0.5]]))


@pytest.mark.parametrize('order', [1.0, 2.0])
@pytest.mark.parametrize('internal_p', [2.0, math.inf])
def test_gradient_is_the_derivative(order, internal_p):
    a, b = make_diagram(5, 3).requires_grad_(), make_diagram(3, 4).requires_grad_()
    torch.autograd.gradcheck(lambda *pair: wasserstein_distance([pair[0]], [pair[1]], order, internal_p), (a, b))


@pytest.mark.parametrize('order', [1.0, 2.0])
@pytest.mark.parametrize('internal_p', [2.0, math.inf])
def test_gradient_of_equal_diagrams_is_0(order, internal_p):
    a = make_diagram(4, 0).requires_grad_()
    wasserstein_distance([a], [a.detach()], order, internal_p).sum().backward()
    assert not a.grad.any()


def test_gradient_reaches_the_points_and_pulls_a_circle_open():
    angles = torch.linspace(0, 2 * math.pi, 21)[:-1]
    circle = torch.stack((angles.cos(), angles.sin()), dim=1)
    points = (0.5 * circle).requires_grad_()
    target = rips_diagrams(circle[None], (1,))
    for _ in range(200):
        (distance,) = wasserstein_distance(rips_diagrams(points[None], (1,)), target)
        (gradient,) = torch.autograd.grad(distance, points)
        with torch.no_grad():
            points -= 0.02 * gradient
    first = wasserstein_distance(rips_diagrams(0.5 * circle[None], (1,)), target)
    assert distance < 0.3 * first


def test_batches_kinds_and_empty_diagrams():
    a, b = torch.stack([make_diagram(3, 0), make_diagram(3, 1)]), torch.stack([make_diagram(4, 2), make_diagram(4, 3)])
    found = wasserstein_distance(a, b)
    for index in range(2):
        assert torch.equal(found[index], wasserstein_distance([a[index].numpy()], [b[index].numpy()])[0])
    assert wasserstein_distance([], []).shape == (0,)
    assert wasserstein_distance([np.empty((0, 2))], [torch.empty(0, 2)]).tolist() == [0.0]
    assert wasserstein_distance(a.half(), b.half()).dtype == torch.float32


def test_inputs_are_checked():
    one = [torch.tensor([[0.0, 1.0]])]
    with pytest.raises(ValueError, match='both sides need as many diagrams, got 1 and 2'):
        wasserstein_distance(one, one + one)
    for order in (0.5, math.inf, math.nan):
        with pytest.raises(ValueError, match='order must be 1 or more and finite, got'):
            wasserstein_distance(one, one, order)
    with pytest.raises(ValueError, match='internal_p must be 1 or more, got 0.5'):
        wasserstein_distance(one, one, internal_p=0.5)
    with pytest.raises(ValueError, match='diagram 0 is not finite: leave out essential classes'):
        wasserstein_distance([torch.tensor([[0.0, math.inf]])], one)
    with pytest.raises(ValueError, match=r'must have shape \(m, 2\)'):
        wasserstein_distance([torch.zeros(3)], one)
