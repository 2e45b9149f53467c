import pytest
import torch
from scipy.spatial.distance import cdist

from topkd.topology.kernels.pairwise import NEAR, edge_lengths, squared_distances


def make_points(kind, dtype, width=16):
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(3, 40, width, generator=generator, dtype=torch.float64)
    if kind == 'clusters':
        points[:, ::2] = points[:, :1] + 1e-4 * points[:, ::2]
    if kind == 'far':
        points[:, ::2] += 1e5
    return points.to(dtype)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('kind', ['random', 'clusters', 'far'])
@pytest.mark.parametrize('width', [1, 16, 600])
def test_every_distance_has_a_small_relative_error(kind, dtype, width):
    points = make_points(kind, dtype, width)
    off = ~torch.eye(40, dtype=torch.bool)
    for cloud, found in zip(points, squared_distances(points)):
        expected = torch.from_numpy(cdist(cloud.double(), cloud.double(), 'sqeuclidean'))
        tolerance = {torch.float32: 1e-5, torch.float64: 1e-10}[dtype]
        torch.testing.assert_close(found.double()[off], expected[off], rtol=tolerance, atol=0)


def test_near_pairs_are_repaired_by_pieces(monkeypatch):
    points = make_points('clusters', torch.float32)
    expected = squared_distances(points)
    monkeypatch.setattr('topkd.topology.kernels.pairwise.REPAIRED_NUMBERS', 50)
    assert torch.equal(squared_distances(points), expected)


def test_share_of_near_pairs_bounds_the_error():
    # the error bounds that NEAR was chosen by: 8 eps in float32 and 100 eps in float64
    for dtype, factor, tolerance in ((torch.float32, 8, 1e-5), (torch.float64, 100, 1e-10)):
        assert factor * torch.finfo(dtype).eps / NEAR[dtype] <= tolerance


def test_edge_lengths_and_their_gradient():
    points = make_points('random', torch.float64)[:, :5, :3].requires_grad_()
    edges = torch.tensor([[0, 1], [4, 2], [0, 3]]).expand(3, -1, -1)
    expected = torch.stack([(points[:, i] - points[:, j]).norm(dim=1) for i, j in ((0, 1), (4, 2), (0, 3))], dim=1)
    torch.testing.assert_close(edge_lengths(points, edges), expected)
    torch.autograd.gradcheck(lambda points: edge_lengths(points, edges), (points,))


def test_an_edge_of_length_0_has_gradient_0():
    points = torch.ones(1, 3, 2, requires_grad=True)
    lengths = edge_lengths(points, torch.tensor([[[0, 1], [2, 2]]]))
    lengths.sum().backward()
    assert not lengths.any() and not points.grad.any()
