import numpy as np
import pytest
import torch

from topkd.topology.kernels.few_clouds import trees_of_few
from topkd.topology.kernels.host_deaths import find_trees
from topkd.topology.kernels.trees import Trees, pull, trees_of_many


def make_points(count=3, n=20, width=4, dtype=torch.float64):
    return torch.randn(count, n, width, generator=torch.Generator().manual_seed(0), dtype=dtype)


def edge_sets(trees, n):
    return [{tuple(sorted(edge)) for edge in cloud} for cloud in trees.edges(n).tolist()]


def test_few_and_many_find_the_same_trees():
    points = make_points()
    few, many = trees_of_few(points), trees_of_many(points)
    assert edge_sets(few, 20) == edge_sets(many, 20)
    np.testing.assert_allclose(few.by_length().lengths, many.by_length().lengths)


def test_lengths_belong_to_their_edges_whatever_the_order():
    points = make_points()
    for trees in (trees_of_few(points), trees_of_many(points)):
        for order in (trees, trees.by_length()):
            first, second = order.edges(20).unbind(2)
            rows = torch.arange(3).unsqueeze(1)
            np.testing.assert_allclose(order.lengths, (points[rows, first] - points[rows, second]).norm(dim=2))
        assert (np.diff(order.lengths) >= 0).all()


def test_pull_is_the_gradient_of_the_lengths():
    points = make_points().requires_grad_()
    trees = find_trees(points)
    slopes = np.random.default_rng(0).normal(size=trees.lengths.shape)
    first, second = trees.edges(20).unbind(2)
    rows = torch.arange(3).unsqueeze(1)
    lengths = (points[rows, first] - points[rows, second]).norm(dim=2)
    (expected,) = torch.autograd.grad((lengths * torch.from_numpy(slopes)).sum(), points)
    torch.testing.assert_close(pull(points.detach(), trees, slopes), expected)


def test_an_edge_without_length_pulls_at_nothing():
    trees = Trees(np.zeros((1, 1)), np.array([[0]]), np.array([[1]]))
    assert not pull(torch.ones(1, 2, 3, dtype=torch.float64), trees, np.ones((1, 1))).any()


@pytest.mark.parametrize('factor', [1e-15, 1e20, float('nan'), 0.0])
def test_bad_scale_is_left_to_units(factor):
    points = make_points()
    points[1] *= factor
    assert trees_of_many(points) is None and find_trees(points) is None
