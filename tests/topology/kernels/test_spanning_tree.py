import numpy as np
import pytest
import torch
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform

from topkd.topology import minimum_spanning_tree
from topkd.topology.kernels.spanning_tree import MAX_VERTICES


def random_weights(count, n, dtype, ties, seed=0):
    generator = torch.Generator().manual_seed(seed)
    weights = torch.rand(count, n, n, generator=generator, dtype=torch.float64)
    if ties:
        weights = (weights * 4).floor()
    weights = weights.tril(-1).to(dtype)
    return weights + weights.mT


def tree_weights(weights, edges):
    n = weights.shape[1]
    return weights.flatten(1).gather(1, edges[..., 0] * n + edges[..., 1]).sort(dim=1).values


@pytest.fixture(params=['prim', 'boruvka'], autouse=True)
def way(request, monkeypatch):
    if request.param == 'boruvka':  # what runs on a GPU and in compiled graphs
        monkeypatch.setattr('topkd.topology.kernels.spanning_tree.on_host', lambda tensor: False)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('ties', [False, True])
@pytest.mark.parametrize('n', [2, 3, 4, 5, 8, 9, 31, 64, 65, 130])
def test_weights_are_those_of_single_linkage(n, ties, dtype):
    weights = random_weights(4, n, dtype, ties, seed=n)
    before = weights.clone()
    edges = minimum_spanning_tree(weights)
    assert torch.equal(weights, before)
    assert edges.shape == (4, n - 1, 2) and edges.dtype == torch.int64
    assert edges.min() >= 0 and edges.max() < n and (edges[..., 0] != edges[..., 1]).all()
    for matrix, found in zip(weights.double().numpy(), tree_weights(weights, edges)):
        expected = np.sort(linkage(squareform(matrix, checks=False), 'single')[:, 2])
        np.testing.assert_allclose(found.double(), expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize('n', [2, 6, 40])
def test_edges_connect_all_vertices_even_if_all_weights_are_equal(n):
    for value in (0.0, 1.0):
        edges = minimum_spanning_tree(torch.full((1, n, n), value))[0]
        reached = {0}
        for _ in range(n):
            reached |= {v for edge in edges.tolist() for v in edge if reached & set(edge)}
        assert reached == set(range(n))


def test_hand_derived():
    # a path 2 - 0 - 3 - 1 of weights 1, 2, 3; all other edges weigh 9
    weights = torch.full((1, 4, 4), 9.0)
    for weight, (i, j) in zip((1.0, 2.0, 3.0), ((0, 2), (0, 3), (1, 3))):
        weights[0, i, j] = weights[0, j, i] = weight
    assert sorted(map(sorted, minimum_spanning_tree(weights)[0].tolist())) == [[0, 2], [0, 3], [1, 3]]


def test_one_vertex_has_no_edges():
    assert minimum_spanning_tree(torch.zeros(3, 1, 1)).shape == (3, 0, 2)


def test_weights_that_are_not_finite_give_indices_within_range():
    weights = torch.full((2, 20, 20), torch.nan)
    weights[1] = torch.inf
    edges = minimum_spanning_tree(weights)
    assert edges.min() >= 0 and edges.max() < 20


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r'square matrices \(B, n, n\), got \(2, 3, 4\)'):
        minimum_spanning_tree(torch.zeros(2, 3, 4))
    with pytest.raises(ValueError, match=f'1 to {MAX_VERTICES} vertices, got {MAX_VERTICES + 1}'):
        minimum_spanning_tree(torch.zeros(()).expand(1, MAX_VERTICES + 1, MAX_VERTICES + 1))
