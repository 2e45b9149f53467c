import numpy as np
import pytest
import torch
from gudhi import RipsComplex

from topkd.topology import rips_diagrams, rips_h0


def make_points(count=3, n=16, width=3, seed=0):
    return torch.randn(count, n, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def make_metrics(count=3, n=12, seed=0):
    """Return symmetric matrices that are no distances of points: they break the triangle inequality."""
    weights = torch.rand(count, n, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    weights = weights + weights.mT
    return weights - torch.diag_embed(weights.diagonal(dim1=1, dim2=2))


def gudhi_diagram(matrix, dim):
    tree = RipsComplex(distance_matrix=matrix.tolist()).create_simplex_tree(max_dimension=2)
    tree.compute_persistence()
    found = tree.persistence_intervals_in_dimension(dim).reshape(-1, 2)
    found = found[np.isfinite(found[:, 1])]
    return found[np.lexsort(found.T)]


@pytest.mark.parametrize('dim', [0, 1])
@pytest.mark.parametrize('ties', [False, True])
def test_diagrams_of_any_symmetric_matrix_equal_gudhi(dim, ties):
    matrices = make_metrics()
    matrices = (4 * matrices).round() if ties else matrices
    matrices[0, 0, 1] = matrices[0, 1, 0] = 0.0
    for matrix, diagram in zip(matrices, rips_diagrams(matrices, (dim,), distance_matrix=True)):
        found = diagram.numpy()
        found = found[found[:, 1] > found[:, 0]]
        expected = gudhi_diagram(matrix, dim)
        expected = expected[expected[:, 1] > expected[:, 0]]
        np.testing.assert_allclose(found[np.lexsort(found.T)], expected, rtol=1e-10)


@pytest.mark.parametrize('dims', [(0,), (1,), (0, 1)])
def test_distances_of_points_give_the_diagrams_and_gradients_of_the_points(dims):
    points = make_points().requires_grad_()
    expected = torch.cat(rips_diagrams(points, dims))
    found = torch.cat(rips_diagrams(torch.cdist(points, points), dims, distance_matrix=True))
    torch.testing.assert_close(found, expected)
    weights = torch.rand(expected.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    gradients = [torch.autograd.grad((weights * diagram).sum(), points)[0] for diagram in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_gradient_of_a_matrix_is_symmetric_and_by_hand():
    matrix = torch.tensor([[[0.0, 1.0, 5.0], [1.0, 0.0, 2.0], [5.0, 2.0, 0.0]]], requires_grad=True)
    deaths = rips_h0(matrix, distance_matrix=True)
    assert deaths.tolist() == [[1.0, 2.0]]
    (deaths * torch.tensor([10.0, 1.0])).sum().backward()
    assert matrix.grad[0].tolist() == [[0, 5, 0], [5, 0, 0.5], [0, 0.5, 0]]


def test_chunks_and_precision(monkeypatch):
    matrices = make_metrics(20).float()
    expected = rips_h0(matrices, distance_matrix=True)
    assert expected.dtype == torch.float32
    monkeypatch.setitem(rips_h0.__globals__['CHUNK'], 'cpu', 3 * 12**2)
    assert torch.equal(rips_h0(matrices, distance_matrix=True), expected)
    half = rips_h0(matrices.half(), distance_matrix=True)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, expected, rtol=2e-3, atol=0)


@pytest.mark.parametrize('dims', [(0,), (0, 1)])
@pytest.mark.parametrize('matrices', [False, True])
def test_ragged_clouds_are_those_one_by_one(dims, matrices):
    clouds = [make_points(1, n, seed=n)[0].requires_grad_() for n in (9, 5, 9, 2, 5, 14)]
    inputs = [torch.cdist(cloud, cloud) for cloud in clouds] if matrices else clouds
    found = rips_diagrams(inputs, dims, distance_matrix=matrices)
    expected = [rips_diagrams(cloud[None], dims)[0] for cloud in clouds]
    for own, other in zip(found, expected, strict=True):
        torch.testing.assert_close(own, other)
    gradients = [torch.autograd.grad(sum(d.sum() for d in diagrams), clouds) for diagrams in (found, expected)]
    torch.testing.assert_close(*gradients)
    assert rips_diagrams([], dims) == []


@pytest.mark.parametrize(
    'spoil, sentence',
    [
        (lambda m: m.__setitem__((1, 0, 1), float('nan')), 'distance matrix 1 is not finite'),
        (lambda m: m.__setitem__((1, 0, 1), -1.0), 'distance matrix 1 has a negative entry'),
        (lambda m: m.__setitem__((1, 2, 2), 1.0), 'distance matrix 1 has a diagonal other than 0'),
        (lambda m: m.__setitem__((1, 0, 1), 3.0), 'distance matrix 1 is not symmetric'),
    ],
)
def test_what_is_no_distance_matrix_is_an_error(spoil, sentence):
    matrices = make_metrics()
    spoil(matrices)
    for compute in (rips_h0, lambda m, **options: rips_diagrams(m, (1,), **options)):
        with pytest.raises(ValueError, match=f'{sentence}: give symmetric, finite distances of 0 or more'):
            compute(matrices, distance_matrix=True)


@pytest.mark.parametrize('width', [2, 64])
def test_matrices_of_torch_cdist(width):
    # from 26 points on torch multiplies matrices, and a point is not at distance 0 from itself
    points = torch.randn(3, 64, width, generator=torch.Generator().manual_seed(0)) * 3 + 2
    matrices = torch.cdist(points, points)
    assert matrices.diagonal(dim1=1, dim2=2).any()
    torch.testing.assert_close(rips_h0(matrices, distance_matrix=True), rips_h0(points), rtol=1e-3, atol=1e-3)
    assert len(rips_diagrams(matrices, (0, 1), distance_matrix=True)) == 3


def test_what_rounding_leaves_of_a_distance_of_angles():
    points = torch.nn.functional.normalize(torch.randn(1, 40, 8, generator=torch.Generator().manual_seed(0)), dim=2)
    matrices = 1 - points @ points.mT
    assert matrices.amin() < 0
    assert rips_h0(matrices, distance_matrix=True).shape == (1, 39)
    with pytest.raises(ValueError, match='negative entry'):
        rips_h0(points @ points.mT, distance_matrix=True)


def test_a_diagonal_beyond_rounding_says_how_torch_makes_it_better():
    points = torch.randn(1, 64, 2, generator=torch.Generator().manual_seed(0)) + 1000
    with pytest.raises(ValueError, match="torch.cdist: compute_mode='donot_use_mm_for_euclid_dist'"):
        rips_h0(torch.cdist(points, points), distance_matrix=True)


def test_inputs_are_checked():
    for matrices in (torch.zeros(3, 3), torch.zeros(1, 3, 4), torch.zeros(1, 1, 1), torch.zeros(0, 3, 3)):
        with pytest.raises(ValueError, match=r'distances must be matrices \(B, n, n\) of n >= 2 points, got'):
            rips_h0(matrices, distance_matrix=True)
    with pytest.raises(TypeError, match='distances must be a floating-point tensor, got torch.int64'):
        rips_h0(torch.zeros(1, 3, 3, dtype=torch.long), distance_matrix=True)
    with pytest.raises(ValueError, match=r'a list of clouds must hold tensors \(n, d\), got \(1, 3, 2\) at 1'):
        rips_diagrams([torch.zeros(3, 2), torch.zeros(1, 3, 2)])
    with pytest.raises(ValueError, match=r'clouds \[1\] of the list.*\(B, n, d\) of n >= 2 points, got \(1, 1, 2\)'):
        rips_diagrams([torch.zeros(3, 2), torch.zeros(1, 2)])
    with pytest.raises(
        ValueError, match=r'clouds \[1, 2\] of the list, taken together: points of cloud 1 are not all f'
    ):
        rips_diagrams([torch.zeros(3, 2), torch.zeros(4, 2), torch.full((4, 2), torch.nan)])
