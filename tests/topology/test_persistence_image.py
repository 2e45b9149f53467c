import gudhi
import numpy as np
import pytest
import torch
from gudhi.representations import PersistenceImage
from sklearn.metrics import pairwise_distances

from topkd.topology import DiagramRange, PersistenceImager, as_diagrams, rips_diagrams, rips_h0


def make_points(count=12, n=20, width=3, seed=0, dtype=torch.float32):
    return torch.randn(count, n, width, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def reference(diagrams, resolution, fitted_on=None):
    """Compute images, and what they are fitted to, by the released pipeline's formulas and gudhi."""
    fitted_on = diagrams if fitted_on is None else fitted_on
    points = np.concatenate([np.stack([d[:, 0], d[:, 1] - d[:, 0]], axis=1) for d in fitted_on])
    distances = pairwise_distances(points[:200]).ravel()
    bandwidth = np.quantile(distances[distances > 1e-5], 0.2)
    im_range = [points[:, 0].min(), points[:, 0].max(), points[:, 1].min(), points[:, 1].max()]
    imager = PersistenceImage(
        bandwidth=bandwidth,
        weight=lambda p: 10 * np.tanh(p[1]) + 10 * np.log(100 * p[0] + 1),
        resolution=resolution,
        im_range=im_range,
    )
    scale = imager.fit(fitted_on).transform(fitted_on).max()
    return imager.transform(diagrams) / scale, bandwidth, im_range, scale


def released_diagrams(clouds, dims):
    """Compute diagrams by the released pipeline's route."""
    diagrams = []
    for cloud in clouds.double().numpy():
        tree = gudhi.RipsComplex(points=cloud).create_simplex_tree(max_dimension=max(dims) + 1)
        tree.persistence()
        diagram = np.concatenate([tree.persistence_intervals_in_dimension(dim).reshape(-1, 2) for dim in dims])
        diagrams.append(diagram[np.isfinite(diagram).all(axis=1)])
    return diagrams


@pytest.mark.parametrize('resolution', [(20, 20), (1, 400), (1, 20), (7, 3)])
@pytest.mark.parametrize('dims', [(0,), (1,), (0, 1)])
def test_images_and_fit_equal_gudhi(dims, resolution):
    points = make_points(count=40)
    diagrams = rips_diagrams(points, dims)
    imager = PersistenceImager(resolution).fit(diagrams)
    images, bandwidth, im_range, scale = reference(released_diagrams(points, dims), resolution)
    assert imager.bandwidth.item() == pytest.approx(bandwidth, rel=1e-6)
    np.testing.assert_allclose(imager.im_range, im_range, rtol=1e-6, atol=1e-6)
    assert imager.scale.item() == pytest.approx(scale, rel=1e-5)
    found = imager(diagrams)
    assert found.shape == (40, resolution[0] * resolution[1]) and found.dtype == torch.float32
    assert found.max().item() == pytest.approx(1, rel=1e-6)
    np.testing.assert_allclose(found, images, atol=1e-5)


def test_other_diagrams_than_those_fitted_on():
    fitted_on, points, dims = make_points(seed=1), 1.5 * make_points(seed=2), (0, 1)
    images = reference(released_diagrams(points, dims), (20, 20), released_diagrams(fitted_on, dims))[0]
    imager = PersistenceImager().fit(rips_diagrams(fitted_on, dims))
    np.testing.assert_allclose(imager(rips_diagrams(points, dims)), images, atol=1e-5)


def test_one_point_by_hand():
    imager = PersistenceImager.from_spec(dict(resolution=(1, 3), bandwidth=2.0, im_range=[0, 0, 1, 5], scale=4.0))
    found = imager(torch.tensor([[[0.0, 3.0]]]))[0]
    peak = 10 * np.tanh(3) / (2 * np.pi * 4) / 4
    np.testing.assert_allclose(found, peak * np.array([np.exp(-0.5), 1, np.exp(-0.5)]), rtol=1e-6)


def test_columns_of_dimension_0_are_equal_and_rows_are_persistences():
    diagrams = rips_diagrams(make_points())
    square, row = (PersistenceImager(resolution).fit(diagrams) for resolution in ((20, 20), (1, 20)))
    images = square(diagrams).view(-1, 20, 20)
    torch.testing.assert_close(images, row(diagrams).unsqueeze(2).expand_as(images))


@pytest.mark.parametrize('few', [0, 10**9])
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('resolution', [(20, 20), (1, 50)])
def test_images_from_deaths_and_from_clouds_are_those_of_diagrams(resolution, dtype, few, monkeypatch):
    monkeypatch.setattr('topkd.topology.kernels.few_clouds.FEW_CLOUDS', few)
    points = make_points(dtype=dtype)
    deaths = rips_h0(points)
    imager = PersistenceImager(resolution).fit(as_diagrams(deaths))
    for _ in range(2):  # constants must follow the fit
        expected = imager(as_diagrams(deaths))
        for found in (imager.images_from_deaths(deaths), imager.images_from_clouds(points)):
            assert found.dtype == dtype
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
        imager.fit(as_diagrams(2 * deaths))


@pytest.mark.parametrize('few', [0, 10**9])
def test_gradients_are_derivatives(few, monkeypatch):
    monkeypatch.setattr('topkd.topology.kernels.few_clouds.FEW_CLOUDS', few)
    points = make_points(3, 9, 2, dtype=torch.float64)
    for dims in ((0,), (0, 1)):
        diagrams = rips_diagrams(points, dims)
        imager = PersistenceImager((3, 4)).fit(diagrams)
        inputs = [diagram.clone().requires_grad_() for diagram in diagrams]
        torch.autograd.gradcheck(lambda *diagrams: imager(diagrams), inputs)
    deaths = rips_h0(points).requires_grad_()
    imager.fit(as_diagrams(deaths))
    torch.autograd.gradcheck(imager.images_from_deaths, (deaths,))
    torch.autograd.gradgradcheck(imager.images_from_deaths, (deaths,))
    torch.autograd.gradcheck(imager.images_from_clouds, (points.requires_grad_(),))
    torch.autograd.gradgradcheck(imager.images_from_clouds, (points,))


@pytest.mark.parametrize('few', [0, 10**9])
@pytest.mark.parametrize('factor', [1.0, 1e-15, 1e18])
def test_images_from_clouds_are_those_of_deaths(factor, few, monkeypatch):
    monkeypatch.setattr('topkd.topology.kernels.few_clouds.FEW_CLOUDS', few)
    points = make_points(dtype=torch.float64)
    points[:, 1] = points[:, 0]  # duplicates
    points[:, 3:5] = points[:, 2:3] + torch.eye(points.shape[2])[:2]  # and ties
    points = (factor * points).requires_grad_()
    imager = PersistenceImager().fit(rips_diagrams(points.detach() / factor))
    expected = imager.images_from_deaths(rips_h0(points))
    weights = torch.rand(expected.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    (gradient,) = torch.autograd.grad((weights * expected).sum(), points)
    found = imager.images_from_clouds(points)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(torch.autograd.grad((weights * found).sum(), points)[0], gradient, rtol=1e-5, atol=1e-5)
    assert factor != 1 or gradient.abs().max() > 0.1


@pytest.mark.parametrize('few', [0, 10**9])
def test_gradient_penalty_of_images_from_duplicates_is_finite(few, monkeypatch):
    monkeypatch.setattr('topkd.topology.kernels.few_clouds.FEW_CLOUDS', few)
    points = make_points()
    imager = PersistenceImager().fit(rips_diagrams(points))
    points[:, 1] = points[:, 0]
    points.requires_grad_()
    (gradient,) = torch.autograd.grad(imager.images_from_clouds(points).square().sum(), points, create_graph=True)
    gradient.square().sum().backward()
    assert points.grad.isfinite().all() and points.grad.any()


def test_images_from_clouds_of_half_precision_and_under_autocast():
    points = make_points().half()
    imager = PersistenceImager().fit(rips_diagrams(points))
    expected = imager.images_from_clouds(points.float())
    with torch.autocast('cpu', dtype=torch.bfloat16):
        found = imager.images_from_clouds(points)
    assert found.dtype == torch.float32 and torch.equal(found, expected)


def test_clouds_changed_before_backward_are_an_error():
    points = make_points().requires_grad_() * 1
    images = PersistenceImager().fit(rips_diagrams(points.detach())).images_from_clouds(points)
    points.add_(1)
    with pytest.raises(RuntimeError, match='modified by an inplace operation'):
        images.sum().backward()


def test_images_from_clouds_check_the_points():
    imager, points = PersistenceImager(), make_points()
    with pytest.raises(RuntimeError, match=r'was not fitted: call fit\(diagrams\)'):
        imager.images_from_clouds(points)
    imager.fit(rips_diagrams(points))
    with pytest.raises(ValueError, match=r'clouds \(B, n, d\) of n >= 2 points, got'):
        imager.images_from_clouds(points[0])
    points[1, 2, 0] = torch.nan
    with pytest.raises(ValueError, match='points of cloud 1 are not all finite'):
        imager.images_from_clouds(points)


def test_gradient_reaches_the_points():
    points = make_points(3, 9, 2, dtype=torch.float64).requires_grad_()
    imager = PersistenceImager((3, 4)).fit(rips_diagrams(points))
    torch.autograd.gradcheck(lambda points: imager(rips_diagrams(points)), (points,))
    torch.autograd.gradgradcheck(lambda points: imager(rips_diagrams(points)), (points,))
    torch.autograd.gradgradcheck(lambda points: imager.images_from_deaths(rips_h0(points)), (points,))


def test_kinds_of_input_agree():
    diagrams = rips_diagrams(make_points(), (0,))
    imager = PersistenceImager().fit(torch.stack(diagrams))
    for same in (torch.stack(diagrams), [diagram.numpy() for diagram in diagrams], tuple(diagrams)):
        torch.testing.assert_close(imager(same), imager(diagrams))
        torch.testing.assert_close(PersistenceImager().fit(same)(diagrams), imager(diagrams))
    half = [diagram.half() for diagram in diagrams]
    assert imager(half).dtype == torch.float32


def test_ragged_and_empty_diagrams():
    diagrams = [diagram[:size] for size, diagram in enumerate(rips_diagrams(make_points(), (0,)))]
    imager = PersistenceImager().fit(diagrams)
    images = imager(diagrams)
    torch.testing.assert_close(images, torch.cat([imager([diagram]) for diagram in diagrams]))
    assert not images[0].any() and images[1].any()
    assert not imager([np.empty((0, 2)), np.empty(0)]).any()
    assert imager([]).shape == (0, 400) and imager(torch.zeros(2, 0, 2)).shape == (2, 400)
    assert imager.images_from_deaths(torch.zeros(2, 0)).shape == (2, 400)


def test_fit_by_chunks_equals_fit():
    diagrams = rips_diagrams(make_points(40), (0, 1))
    chunks = [diagrams[:3], diagrams[3:4], diagrams[4:]]
    whole = PersistenceImager().fit(diagrams)
    total = DiagramRange()
    for chunk in chunks:
        total.update(chunk)
    imager = PersistenceImager().set_range(total)
    for chunk in chunks:
        imager.update_scale(chunk)
    assert imager.spec() == whole.spec()


def test_large_fits_are_made_by_pieces(monkeypatch):
    diagrams = rips_diagrams(make_points(40))
    expected = PersistenceImager().fit(diagrams).spec()
    monkeypatch.setattr('topkd.topology.persistence_image.DIAGRAMS_AT_ONCE', 7)
    assert PersistenceImager().fit(diagrams).spec() == expected


def test_points_of_persistence_0_do_not_count():
    diagrams = rips_diagrams(make_points())
    with_duplicates = [torch.cat([torch.zeros(3, 2), diagram]) for diagram in diagrams]
    assert PersistenceImager().fit(with_duplicates).spec() == PersistenceImager().fit(diagrams).spec()


def test_unfitted_use_is_an_error():
    imager = PersistenceImager()
    deaths = torch.ones(1, 3)
    for use in (
        lambda: imager(as_diagrams(deaths)),
        lambda: imager.images_from_deaths(deaths),
        imager.spec,
        lambda: imager.share_outside(as_diagrams(deaths)),
        lambda: imager.update_scale(as_diagrams(deaths)),
    ):
        with pytest.raises(RuntimeError, match=r'was not fitted: call fit\(diagrams\)'):
            use()


def test_what_cannot_be_fitted_or_read_is_an_error():
    for diagrams in ([], [np.empty((0, 2))], torch.tensor([[[0.0, 1.0], [0.0, 1.0]]])):
        with pytest.raises(ValueError, match='two points more than 1e-05 apart'):
            PersistenceImager().fit(diagrams)
    with pytest.raises(ValueError, match='essential classes'):
        PersistenceImager().fit([torch.tensor([[0.0, 1.0], [0.0, torch.inf]])])
    for diagrams in ([torch.zeros(3, 3)], [torch.zeros(4)]):
        with pytest.raises(ValueError, match=r'must have shape \(m, 2\) of \(birth, death\), got'):
            PersistenceImager().fit(diagrams)
    imager = PersistenceImager().fit(rips_diagrams(make_points()))
    with pytest.raises(ValueError, match=r'list of \(m, 2\) or one tensor \(B, m, 2\), got \(3, 2\)'):
        imager(torch.zeros(3, 2))
    for resolution in ((20,), (0, 5), (2.5, 3), 20, None, '20', (float('nan'), 1)):
        with pytest.raises(ValueError, match='two positive whole numbers'):
            PersistenceImager(resolution)


def test_share_outside():
    imager = PersistenceImager.from_spec(dict(bandwidth=1.0, im_range=[0.0, 1.0, 2.0, 3.0], scale=1.0))
    inside, low, high, late = [0.0, 2.0], [0.0, 1.9], [0.5, 3.6], [1.1, 3.6]
    assert imager.share_outside([torch.tensor([inside, low]), np.array([high, late])]) == 0.75
    assert imager.share_outside([np.empty((0, 2))]) == 0.0
    diagrams = rips_diagrams(make_points())
    assert imager.fit(diagrams).share_outside(diagrams) == 0.0
    assert imager.share_outside([100 * diagram for diagram in diagrams]) > 0.9


def test_autocast_has_no_effect():
    diagrams = rips_diagrams(make_points(), (0, 1))
    imager = PersistenceImager().fit(diagrams)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.equal(imager(diagrams), imager.forward(diagrams))
        found = imager(diagrams)
    assert torch.equal(found, imager(diagrams))


def test_reduced_matmul_precision_has_no_effect():
    diagrams = rips_diagrams(make_points(), (0, 1))
    deaths = torch.stack(rips_diagrams(make_points(30, 30)))[..., 1]
    imager = PersistenceImager().fit(diagrams)
    clouds = make_points(30, 30)
    expected = imager(diagrams), imager.images_from_deaths(deaths), imager.images_from_clouds(clouds)
    torch.set_float32_matmul_precision('medium')
    try:
        found = imager(diagrams), imager.images_from_deaths(deaths), imager.images_from_clouds(clouds)
    finally:
        torch.set_float32_matmul_precision('highest')
    torch.testing.assert_close(found, expected)


def test_compiles_as_one_graph():
    torch._dynamo.reset()
    points = make_points(2, 8)
    imager = PersistenceImager((1, 6)).fit(rips_diagrams(points))

    def images(points):
        return imager.images_from_deaths(rips_h0(points))

    for function in (images, imager.images_from_clouds):
        compiled = torch.compile(function, fullgraph=True, backend='eager')
        torch.testing.assert_close(compiled(points), images(points))
