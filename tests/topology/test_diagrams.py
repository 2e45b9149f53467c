import gudhi
import numpy as np
import pytest
import torch

from topkd.topology import diagram_backend, diagrams_without_gradient, rips_diagrams


def make_points(count, n, width, dtype=torch.float32, kind='random'):
    points = torch.randn(count, n, width, generator=torch.Generator().manual_seed(n + width), dtype=torch.float64)
    points = (2 * points).round() if kind == 'tied' else points
    points = points[:, torch.arange(n) % (n // 2)] if kind == 'duplicate' else points
    return points.to(dtype)


def gudhi_diagram(cloud, dims):
    """Return gudhi's finite points of positive persistence, in the order of dimensions and deaths."""
    tree = gudhi.RipsComplex(points=cloud.double().numpy()).create_simplex_tree(max_dimension=max(dims) + 1)
    tree.compute_persistence()
    parts = [tree.persistence_intervals_in_dimension(dim).reshape(-1, 2) for dim in dims]
    parts = [part[np.isfinite(part[:, 1]) & (part[:, 1] > part[:, 0])] for part in parts]
    return np.concatenate([part[np.lexsort(part.T)] for part in parts])


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('kind', ['random', 'tied', 'duplicate'])
@pytest.mark.parametrize('dims', [(0,), (1,), (0, 1), (2,), (0, 2), (0, 1, 2), (1, 3)])
def test_every_dimension_equals_gudhi(dims, kind, dtype):
    for n, width in ((4, 2), (24, 3)):
        clouds = make_points(3, n, width, dtype, kind).requires_grad_()
        diagrams = diagrams_without_gradient(clouds, dims)
        assert len(diagrams) == 3
        for cloud, diagram in zip(clouds.detach(), diagrams):
            assert diagram.dtype == dtype and not diagram.requires_grad
            diagram = diagram[diagram[:, 1] > diagram[:, 0]]
            expected = gudhi_diagram(cloud, dims)
            assert diagram.shape == expected.shape
            # points of equal death may come in any order
            key = [np.lexsort(np.round(points, 4).T) for points in (diagram.double().numpy(), expected)]
            np.testing.assert_allclose(
                diagram.double().numpy()[key[0]],
                expected[key[1]],
                rtol=1e-5 if dtype == torch.float32 else 1e-10,
                atol=0,
            )


def test_octahedron_has_a_void_from_root_2_to_2():
    corners = torch.cat([torch.eye(3, dtype=torch.float64), -torch.eye(3, dtype=torch.float64)])
    (diagram,) = diagrams_without_gradient(corners[None], (2,))
    torch.testing.assert_close(diagram, torch.tensor([[2**0.5, 2.0]], dtype=torch.float64))


def test_dimensions_with_gradient_are_those_of_rips_diagrams():
    points = make_points(4, 20, 3)
    for dims in ((0,), (1,), (0, 1)):
        for found, expected in zip(diagrams_without_gradient(points, dims), rips_diagrams(points, dims)):
            assert torch.equal(found, expected)


def test_clouds_too_large_for_trees_are_gudhis(monkeypatch):
    points = make_points(2, 20, 3)
    expected = diagrams_without_gradient(points)
    monkeypatch.setattr('topkd.topology.diagrams.MAX_VERTICES', 19)
    monkeypatch.setattr('topkd.topology.kernels.spanning_tree.MAX_VERTICES', 19)
    backend = diagram_backend(20, (0,))
    assert backend.name == f'gudhi {gudhi.__version__}'
    assert backend.reason == "topkd's spanning trees take 19 points, a cloud has 20"
    torch.testing.assert_close(diagrams_without_gradient(points), expected)


def test_threads_do_not_matter(monkeypatch):
    points = make_points(5, 16, 3)
    expected = diagrams_without_gradient(points, (0, 2))
    monkeypatch.setattr(torch, 'get_num_threads', lambda: 3)
    assert all(torch.equal(*pair) for pair in zip(diagrams_without_gradient(points, (0, 2)), expected))


@pytest.mark.parametrize(
    'n, dims, name',
    [
        (64, (0,), 'topkd'),
        (8192, (0,), 'topkd'),
        (64, [1], 'topkd and gudhi'),
        (64, (0, 1), 'topkd and gudhi'),
        (8193, (1,), 'topkd and gudhi'),
        (8193, (0, 1), 'gudhi'),
        (64, (2,), 'gudhi'),
        (64, (0, 3), 'gudhi'),
    ],
)
def test_backend(n, dims, name):
    assert diagram_backend(n, dims).name == name.replace('gudhi', f'gudhi {gudhi.__version__}')


@pytest.mark.parametrize('dims', [(), (1, 0), (0, 0), (-1,), (0.5,), ('0',), (None,)])
def test_dimensions_are_checked(dims):
    with pytest.raises(ValueError, match='homology_dims must be ascending whole numbers from 0 on'):
        diagrams_without_gradient(make_points(1, 5, 2), dims)


def test_points_that_are_not_finite_name_the_cloud():
    points = make_points(3, 10, 2)
    points[1, 4, 0] = float('nan')
    for dims in ((0,), (2,)):
        with pytest.raises(ValueError, match='points of cloud 1 are not all finite'):
            diagrams_without_gradient(points, dims)


@pytest.mark.parametrize('bad', [float('nan'), float('inf')])
def test_points_that_are_not_finite_are_refused_where_training_would_not_look(monkeypatch, bad):
    for module in ('rips', 'kernels.host_deaths'):
        monkeypatch.setattr(f'topkd.topology.{module}.on_host', lambda tensor: False)  # as on a GPU
    points = make_points(3, 10, 2)
    points[2, 4, 0] = bad
    assert rips_diagrams(points)[2].isnan().any()
    with pytest.raises(ValueError, match='points of cloud 2 are not all finite'):
        diagrams_without_gradient(points)
