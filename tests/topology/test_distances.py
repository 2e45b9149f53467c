import gudhi.hera
import numpy as np
import pytest
import torch
from gudhi.representations import SlicedWassersteinDistance
from scipy.sparse.csgraph import minimum_spanning_tree as scipy_tree
from scipy.spatial.distance import pdist, squareform
from scipy.stats import wasserstein_distance

from topkd.topology import as_diagrams, rips_h0, rtd_lite, signature_loss, sliced_wasserstein_h0, wasserstein_h0


def make_points(n=15, width=3, seed=0, count=4):
    return torch.randn(count, n, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def deaths():
    return rips_h0(make_points()), 1.3 * rips_h0(make_points(seed=1))


def shuffled(values):
    return values[:, torch.randperm(values.shape[1], generator=torch.Generator().manual_seed(0))]


def test_wasserstein_equals_scipy(deaths):
    expected = [wasserstein_distance(*pair) for pair in zip(*deaths)]
    np.testing.assert_allclose(wasserstein_h0(*map(shuffled, deaths)), expected, rtol=1e-12)


def test_wasserstein_by_hand():
    a, b = torch.tensor([[5.0, 1.0]]), torch.tensor([[1.0, 2.0]])
    for p, expected in ((1, 1.5), (2, 4.5**0.5), (float('inf'), 3.0)):
        assert wasserstein_h0(a, b, p).item() == pytest.approx(expected)


@pytest.mark.parametrize('p', [1, 2])
def test_wasserstein_is_at_least_that_of_diagrams_and_the_same_for_close_ones(deaths, p):

    def of_diagrams(a, b):
        return np.array(
            [
                gudhi.hera.wasserstein_distance(x.numpy(), y.numpy(), order=p, internal_p=np.inf, delta=1e-9)
                for x, y in zip(as_diagrams(a), as_diagrams(b))
            ]
        )

    total = deaths[0].shape[1] ** (1 / p)
    assert (of_diagrams(*deaths) <= total * wasserstein_h0(*deaths, p).numpy() * (1 + 1e-9)).all()
    close = deaths[0] + 0.01 * deaths[1]
    np.testing.assert_allclose(total * wasserstein_h0(deaths[0], close, p), of_diagrams(deaths[0], close), rtol=1e-6)


def slow_sliced_wasserstein(a, b, num_directions):
    total = 0
    for angle in np.linspace(-np.pi / 2, np.pi / 2, num_directions, endpoint=False):
        direction = np.array([np.cos(angle), np.sin(angle)])
        sides = []
        for own, other in ((a, b), (b, a)):
            points = [np.array([0, d]) for d in own] + [np.array([d / 2, d / 2]) for d in other]
            sides.append(np.sort([point @ direction for point in points]))
        total += np.abs(sides[0] - sides[1]).sum()
    return total / num_directions


@pytest.mark.parametrize('num_directions', [1, 4, 25])
def test_sliced_wasserstein_equals_its_formula(deaths, num_directions):
    expected = [slow_sliced_wasserstein(a.numpy(), b.numpy(), num_directions) for a, b in zip(*deaths)]
    found = sliced_wasserstein_h0(*map(shuffled, deaths), num_directions=num_directions)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_sliced_wasserstein_tends_to_gudhi(deaths):
    metric = SlicedWassersteinDistance(num_directions=2000)  # it leaves one of them out
    expected = [metric(a.numpy(), b.numpy()) for a, b in zip(*map(as_diagrams, deaths))]
    np.testing.assert_allclose(sliced_wasserstein_h0(*deaths, num_directions=2000), expected, rtol=1e-3)


def test_sliced_wasserstein_without_diagonal_is_the_integral(deaths):
    angles = (np.arange(20000) + 0.5) / 20000 * np.pi - np.pi / 2
    mean = np.abs(np.sin(angles)).mean()
    expected = [mean * np.abs(np.sort(a) - np.sort(b)).sum() for a, b in zip(*(d.numpy() for d in deaths))]
    np.testing.assert_allclose(sliced_wasserstein_h0(*deaths, diagonal=False), expected, rtol=1e-6)


@pytest.mark.parametrize('diagonal', [False, True])
def test_deaths_distances_are_0_for_equal_and_symmetric(deaths, diagonal):
    for distance in (wasserstein_h0, lambda a, b: sliced_wasserstein_h0(a, b, diagonal=diagonal)):
        assert not distance(deaths[0], shuffled(deaths[0])).any()
        torch.testing.assert_close(distance(*deaths), distance(*deaths[::-1]))


def trees(matrix):
    """Return the edges of a slow reference tree."""
    return np.argwhere(scipy_tree(matrix).toarray() > 0)


def test_signature_loss_equals_its_formula():
    a, b = make_points(), make_points(width=5, seed=1)
    for x, z, found in zip(a.numpy(), b.numpy(), signature_loss(a, b)):
        dx, dz = squareform(pdist(x)), squareform(pdist(z))
        expected = sum(0.5 * (dx[i, j] - dz[i, j]) ** 2 for tree in (trees(dx), trees(dz)) for i, j in tree)
        assert found.item() == pytest.approx(expected)


def test_rtd_lite_equals_its_formula():
    a, b = make_points(), make_points(width=5, seed=1)
    for x, z, found in zip(a.numpy(), b.numpy(), rtd_lite(a, b)):
        dx, dz = (d / np.quantile(d, 0.9) for d in (squareform(pdist(x)), squareform(pdist(z))))
        total = [scipy_tree(matrix).sum() for matrix in (dx, dz, np.minimum(dx, dz))]
        assert found.item() == pytest.approx((total[0] + total[1]) / 2 - total[2])


@pytest.mark.parametrize('n', [2, 3, 4, 10])
def test_rtd_lite_is_0_up_to_scale_and_isometry_only(n):
    points = make_points(n=n)
    rotation, _ = torch.linalg.qr(make_points(n=3, count=1)[0])
    torch.testing.assert_close(rtd_lite(points, 3 * points @ rotation + 1), torch.zeros(4, dtype=torch.float64))
    if n > 3:
        assert (rtd_lite(points, points.flip(1)) > 0).all()


def test_hand_derived_signature_loss():
    # lengths 1 and 2 on the line; the other cloud has edges of 2 and 2 between the same points
    a, b = torch.tensor([[[0.0], [1.0], [3.0]]]), torch.tensor([[[0.0], [2.0], [4.0]]])
    assert signature_loss(a, b).item() == 1.0


@pytest.mark.parametrize('distance', [signature_loss, rtd_lite])
def test_gradients_of_cloud_distances(distance):
    a, b = make_points(n=6, count=2), make_points(n=6, count=2, width=2, seed=1)
    torch.autograd.gradcheck(distance, (a.requires_grad_(), b.requires_grad_()))
    equal = torch.zeros(1, 5, 2, requires_grad=True)
    distance(equal, b[:1, :5].detach()).sum().backward()
    assert equal.grad.isfinite().all()


@pytest.mark.parametrize(
    'distance',
    [
        wasserstein_h0,
        lambda a, b: wasserstein_h0(a, b, p=2),
        sliced_wasserstein_h0,
        lambda a, b: sliced_wasserstein_h0(a, b, diagonal=False),
    ],
)
def test_gradients_of_deaths_distances(distance, deaths):
    torch.autograd.gradcheck(distance, tuple(values.requires_grad_() for values in deaths))
    same = deaths[0].detach().clone().requires_grad_()
    distance(same, deaths[0].detach()).sum().backward()
    assert same.grad.isfinite().all()


def test_arguments_are_checked():
    for distance in (wasserstein_h0, sliced_wasserstein_h0):
        with pytest.raises(ValueError, match=r'as many on both sides, got \(2, 3\) and \(2, 4\)'):
            distance(torch.zeros(2, 3), torch.zeros(2, 4))
        with pytest.raises(TypeError, match='deaths must be a floating-point tensor, got list'):
            distance([1.0], torch.zeros(2, 4))
    with pytest.raises(ValueError, match='num_directions must be 1 or more, got 0'):
        sliced_wasserstein_h0(torch.zeros(2, 3), torch.zeros(2, 3), num_directions=0)
    with pytest.raises(ValueError, match='p must be 1 or more, got 0.5'):
        wasserstein_h0(torch.zeros(2, 3), torch.zeros(2, 3), p=0.5)
    for distance in (signature_loss, rtd_lite):
        with pytest.raises(ValueError, match=r'number B of clouds and n of points, got \(2, 3, 1\) and \(2, 4, 1\)'):
            distance(torch.zeros(2, 3, 1), torch.zeros(2, 4, 1))
