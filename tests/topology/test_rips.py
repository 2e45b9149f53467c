import gudhi
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from topkd.topology import as_diagrams, rips_diagrams, rips_h0

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def gudhi_diagram(cloud, dim):
    """Return gudhi's finite points of one dimension; they have positive persistence."""
    tree = gudhi.RipsComplex(points=cloud.double().numpy()).create_simplex_tree(max_dimension=dim + 1)
    tree.persistence()
    diagram = tree.persistence_intervals_in_dimension(dim).reshape(-1, 2)
    return diagram[np.isfinite(diagram).all(axis=1)]


def gudhi_deaths(clouds):
    """Return gudhi's deaths (B, n - 1), those of duplicate points included."""
    deaths = [np.sort(gudhi_diagram(cloud, 0)[:, 1]) for cloud in clouds]
    return np.stack([np.pad(values, (clouds.shape[1] - 1 - len(values), 0)) for values in deaths])


def make_clouds(kind, count, n, width, dtype):
    generator = torch.Generator().manual_seed(1000 * n + width)
    points = torch.randn(count, n, width, generator=generator, dtype=torch.float64)
    centers = 10 * torch.randn(count, 4, width, generator=generator, dtype=torch.float64)
    shape = (count, n)
    pick = torch.randint(4, shape, generator=generator).unsqueeze(2).expand(-1, -1, width)
    if kind == 'clustered':
        points = centers.gather(1, pick) + 0.01 * points
    if kind == 'tightly clustered':
        points = centers.gather(1, pick) + 1e-5 * points
    if kind == 'tied':
        points = torch.randint(3, points.shape, generator=generator).double()
    if kind == 'duplicate':
        points = centers.gather(1, pick)
    if kind == 'all equal':
        points = centers[:, :1].expand_as(points)
    if kind == 'collinear':
        points = torch.rand(count, n, 1, generator=generator, dtype=torch.float64) * centers[:, :1]
    if kind == 'far cluster':
        points[:, n // 2 :] += 1e4
    if kind == 'far from the origin':
        points += 1e4
    if kind == 'outlier':
        points[:, 0] += 1e6
    if kind == 'huge':
        points *= 1e25
    if kind == 'tiny':
        points *= 1e-25
    if kind == 'all scales':
        points *= torch.logspace(-6, 6, n, dtype=torch.float64).unsqueeze(1)
    return points.to(dtype)


KINDS = [
    'random',
    'clustered',
    'tightly clustered',
    'tied',
    'duplicate',
    'all equal',
    'collinear',
    'far cluster',
    'far from the origin',
    'outlier',
    'huge',
    'tiny',
    'all scales',
]


@pytest.fixture(params=['few', 'general', 'device'])
def way(request, monkeypatch):
    """Run a test by each way that deaths are computed: numpy, torch on the CPU, and torch as on a GPU."""
    if request.param != 'few':
        monkeypatch.setattr('topkd.topology.kernels.few_clouds.FEW_CLOUDS', 0)
    if request.param == 'device':
        for module in ('kernels.pairwise', 'kernels.spanning_tree', 'kernels.host_deaths', 'rips'):
            monkeypatch.setattr(f'topkd.topology.{module}.on_host', lambda tensor: False)
    return request.param


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('kind', KINDS)
def test_deaths_equal_gudhi(kind, dtype, way):
    for n, width in ((2, 3), (3, 1), (16, 2), (64, 16), (30, 100)):
        clouds = make_clouds(kind, 3, n, width, dtype)
        deaths = rips_h0(clouds)
        assert deaths.shape == (3, n - 1) and deaths.dtype == dtype
        np.testing.assert_allclose(deaths.double(), gudhi_deaths(clouds), rtol=TOLERANCE[dtype], atol=0)


@pytest.mark.parametrize('n', [128, 200, 256])
def test_larger_clouds_equal_gudhi(n, way):
    clouds = make_clouds('random', 2, n, 8, torch.float32)
    np.testing.assert_allclose(rips_h0(clouds).double(), gudhi_deaths(clouds), rtol=1e-5)


def test_1024_points_equal_gudhi(way):
    points = make_clouds('clustered', 1, 1024, 8, torch.float32)
    tree = gudhi.RipsComplex(points=points[0].double().numpy()).create_simplex_tree(max_dimension=1)
    tree.compute_persistence()
    expected = tree.persistence_intervals_in_dimension(0)[:, 1]
    np.testing.assert_allclose(rips_h0(points)[0].double(), np.sort(expected[np.isfinite(expected)]), rtol=1e-5)


def test_points_0_1_3_on_a_line(way):
    points = torch.tensor([[[3.0], [0.0], [1.0]]])
    assert rips_h0(points).tolist() == [[1.0, 2.0]]


def test_deaths_are_ascending(way):
    deaths = rips_h0(make_clouds('random', 5, 40, 3, torch.float32))
    assert (deaths[:, 1:] >= deaths[:, :-1]).all()


@pytest.mark.parametrize('kind', ['random', 'clustered'])
def test_gradient_is_the_derivative(kind, way):
    points = make_clouds(kind, 2, 9, 3, torch.float64).requires_grad_()
    torch.autograd.gradcheck(rips_h0, (points,), eps=1e-7 if kind == 'clustered' else 1e-6, atol=1e-5)


def test_gradient_of_points_on_a_line(way):
    points = torch.tensor([[[3.0], [0.0], [1.0]]], requires_grad=True)
    (rips_h0(points) * torch.tensor([10.0, 1.0])).sum().backward()
    assert points.grad.flatten().tolist() == [1.0, -10.0, 9.0]


@pytest.mark.parametrize('kind', [kind for kind in KINDS if kind != 'random'])
def test_gradients_are_finite_and_duplicates_get_none(kind, way):
    points = make_clouds(kind, 2, 12, 4, torch.float32).requires_grad_()
    rips_h0(points).sum().backward()
    assert points.grad.isfinite().all()
    if kind == 'all equal':
        assert not points.grad.any()


def test_batch_equals_loop():
    clouds = make_clouds('clustered', 40, 50, 6, torch.float32)
    torch.testing.assert_close(rips_h0(clouds), torch.cat([rips_h0(cloud[None]) for cloud in clouds]))


def test_chunks_do_not_matter(monkeypatch):
    clouds = make_clouds('random', 40, 20, 6, torch.float32).requires_grad_()
    expected = rips_h0(clouds)
    (gradient,) = torch.autograd.grad(expected.square().sum(), clouds)
    monkeypatch.setitem(rips_h0.__globals__['CHUNK'], 'cpu', 7 * 20**2)
    torch.testing.assert_close(rips_h0(clouds), expected)
    torch.testing.assert_close(torch.autograd.grad(rips_h0(clouds).square().sum(), clouds)[0], gradient)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(1, 6), st.integers(2, 40), st.integers(1, 12), st.booleans(), st.integers(0, 1000))
def test_deaths_of_random_shapes_equal_gudhi(count, n, width, ties, seed):
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(count, n, width, generator=generator, dtype=torch.float64)
    points = (2 * points).round() if ties else points
    np.testing.assert_allclose(rips_h0(points), gudhi_deaths(points), rtol=1e-10)


def test_permutation_translation_rotation_and_scale(way):
    points = make_clouds('random', 3, 24, 5, torch.float64)
    deaths = rips_h0(points)
    rotation, _ = torch.linalg.qr(make_clouds('random', 1, 5, 5, torch.float64)[0])
    order = torch.randperm(24, generator=torch.Generator().manual_seed(0))
    for changed, factor in ((points[:, order], 1), (points + 7, 1), (points @ rotation, 1), (points * 3.5, 3.5)):
        torch.testing.assert_close(rips_h0(changed), factor * deaths, rtol=1e-10, atol=0)


def test_strides_do_not_matter(way):
    points = make_clouds('random', 2, 10, 6, torch.float32)
    torch.testing.assert_close(rips_h0(points.permute(2, 0, 1).contiguous().permute(1, 2, 0)), rips_h0(points))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_raised_and_autocast_has_no_effect(dtype, way):
    points = make_clouds('random', 2, 10, 4, torch.float32).to(dtype).requires_grad_()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        deaths = rips_h0(points)
        (gradient,) = torch.autograd.grad(deaths.square().sum(), points)
    raised = points.detach().float().requires_grad_()
    expected = rips_h0(raised)
    assert deaths.dtype == torch.float32
    torch.testing.assert_close(deaths, expected, rtol=0, atol=0)
    expected.square().sum().backward()
    torch.testing.assert_close(gradient, raised.grad.to(dtype), rtol=0, atol=0)


def test_reduced_matmul_precision_has_no_effect():
    points = make_clouds('random', 3, 30, 64, torch.float32)
    expected = rips_h0(points)
    torch.set_float32_matmul_precision('medium')
    try:
        found = rips_h0(points)
    finally:
        torch.set_float32_matmul_precision('highest')
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
@pytest.mark.parametrize('count', [3, 40])
def test_points_that_are_not_finite_name_the_cloud(value, count):
    points = make_clouds('random', count, 10, 4, torch.float32)
    points[2, 5, 1] = value
    for compute in (rips_h0, rips_diagrams, lambda points: rips_diagrams(points, (1,))):
        with pytest.raises(ValueError, match='points of cloud 2 are not all finite'):
            compute(points)
    deaths = rips_h0(points, check_finite=False)
    assert deaths[2].isnan().all() and deaths[:2].isfinite().all()


def test_points_are_checked():
    for points in (torch.zeros(5, 3), torch.zeros(2, 1, 3), torch.zeros(2, 5, 0), torch.zeros(0, 5, 3)):
        with pytest.raises(ValueError, match=r'clouds \(B, n, d\) of n >= 2 points, got'):
            rips_h0(points)
    with pytest.raises(TypeError, match='floating-point tensor, got torch.int64'):
        rips_h0(torch.zeros(2, 5, 3, dtype=torch.long))
    with pytest.raises(TypeError, match=r'floating-point tensor, got ndarray: convert them with torch.as_tensor\('):
        rips_h0(np.zeros((2, 5, 3)))
    for dims in ((), (2,), (1, 0), (0, 1, 2)):
        with pytest.raises(
            ValueError, match=r'homology_dims must be \(0,\), \(1,\) or \(0, 1\) for diagrams with gradient, got'
        ):
            rips_diagrams(torch.zeros(2, 5, 3), dims)
    for dims in (0, None):
        with pytest.raises(TypeError, match=r'homology_dims must be a sequence such as \(0,\) or \(0, 1\), got'):
            rips_diagrams(torch.zeros(2, 5, 3), dims)


def test_compiles_as_one_graph():
    torch._dynamo.reset()
    compiled = torch.compile(rips_h0, fullgraph=True, backend='aot_eager')
    points = make_clouds('clustered', 3, 12, 5, torch.float32).requires_grad_()
    torch.testing.assert_close(compiled(points), rips_h0(points))
    gradients = [torch.autograd.grad(function(points).square().sum(), points)[0] for function in (compiled, rips_h0)]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize('count', range(1, 10))
def test_second_derivative_is_the_derivative_of_the_first(count):
    points = make_clouds('random', count, 5, 3, torch.float64).requires_grad_()
    torch.autograd.gradgradcheck(rips_h0, (points,), atol=1e-5)


def kruskal(points):
    """Return the deaths of one cloud by Kruskal's algorithm, in plain torch."""
    lengths = {(i, j): (points[i] - points[j]).square().sum().sqrt() for i in range(len(points)) for j in range(i)}
    component, deaths = list(range(len(points))), []
    for (i, j), length in sorted(lengths.items(), key=lambda item: item[1].item()):
        if component[i] != component[j]:
            component = [component[i] if c == component[j] else c for c in component]
            deaths.append(length)
    return torch.stack(deaths)


def penalty_gradient(function, points):
    """Return the gradient of the squared norm of the gradient of the deaths' sum and of their cubes."""
    deaths = function(points)
    linear, cubic = (torch.autograd.grad(y.sum(), points, create_graph=True)[0] for y in (deaths, deaths**3))
    return torch.autograd.grad(linear.square().sum() + cubic.square().sum(), points)[0]


@pytest.mark.parametrize('count', range(1, 10))
def test_gradient_penalty_equals_the_one_by_kruskal(count):
    points = make_clouds('random', count, 6, 3, torch.float64).requires_grad_()
    expected = penalty_gradient(lambda points: torch.stack([kruskal(cloud) for cloud in points]), points)
    assert expected.abs().sum() > 1
    torch.testing.assert_close(penalty_gradient(rips_h0, points), expected)


@pytest.mark.parametrize('kind', ['duplicate', 'all equal'])
def test_second_derivative_of_duplicates_is_finite(kind, way):
    points = make_clouds(kind, 2, 9, 3, torch.float64).requires_grad_()
    gradient = penalty_gradient(rips_h0, points)
    assert gradient.isfinite().all() and (kind != 'all equal' or not gradient.any())


def test_unit_square_has_a_cycle_from_1_to_root_2():
    square = torch.tensor([[[0.0, 0], [1, 0], [1, 1], [0, 1]]], dtype=torch.float64)
    (diagram,) = rips_diagrams(square, (0, 1))
    expected = [[0, 1], [0, 1], [0, 1], [1, 2**0.5]]
    torch.testing.assert_close(diagram, torch.tensor(expected, dtype=torch.float64))


def test_diagrams_of_dimension_0_are_deaths_with_births_0():
    points = make_clouds('random', 3, 12, 5, torch.float32)
    diagrams = rips_diagrams(points)
    assert isinstance(diagrams, list) and len(diagrams) == 3
    torch.testing.assert_close(torch.stack(diagrams), as_diagrams(rips_h0(points)), rtol=0, atol=0)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('kind', ['random', 'clustered', 'tied', 'duplicate', 'all equal', 'far cluster', 'huge'])
def test_cycles_equal_gudhi(kind, dtype):
    for n, width in ((2, 2), (3, 2), (4, 2), (20, 2), (40, 5)):
        clouds = make_clouds(kind, 3, n, width, dtype)
        for cloud, diagram in zip(clouds, rips_diagrams(clouds, (1,))):
            expected = gudhi_diagram(cloud, 1)
            assert diagram.shape == expected.shape and diagram.dtype == dtype
            found, expected = (points[np.lexsort(points.T)] for points in (diagram.double().numpy(), expected))
            np.testing.assert_allclose(found, expected, rtol=TOLERANCE[dtype])


def test_both_dimensions_are_joined():
    points = make_clouds('random', 4, 20, 3, torch.float32)
    for both, components, cycles in zip(*(rips_diagrams(points, dims) for dims in ((0, 1), (0,), (1,)))):
        torch.testing.assert_close(both, torch.cat([components, cycles]), rtol=0, atol=0)


def test_gradient_of_cycles_is_the_derivative():
    points = make_clouds('random', 2, 20, 2, torch.float64).requires_grad_()
    assert all(len(diagram) for diagram in rips_diagrams(points, (1,)))
    torch.autograd.gradcheck(lambda points: torch.cat(rips_diagrams(points, (0, 1))), (points,))


def test_threads_do_not_matter(monkeypatch):
    points = make_clouds('random', 5, 20, 3, torch.float32)
    expected = None
    for workers in (1, 2, 8):
        monkeypatch.setattr(torch, 'get_num_threads', lambda: workers)
        found = rips_diagrams(points, (1,))
        expected = expected or found
        assert all(torch.equal(*pair) for pair in zip(found, expected))
