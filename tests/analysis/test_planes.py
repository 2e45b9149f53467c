"""Embeddings in the plane: principal components, UMAP where it is installed, one sentence where it is not."""

import sys

import numpy as np
import pytest

from topkd.analysis.embeddings.planes import principal_plane, umap_plane


def test_principal_plane_keeps_what_lies_in_a_plane():
    generator = np.random.default_rng(0)
    plane = generator.normal(size=(20, 2)) * [5.0, 1.0]
    basis = np.linalg.qr(generator.normal(size=(6, 6)))[0][:2]
    found = principal_plane((plane @ basis + 100).astype(np.float32))
    centerd = plane - plane.mean(0)
    np.testing.assert_allclose(found @ found.T, centerd @ centerd.T, atol=1e-3)
    variances = np.linalg.eigvalsh(np.cov(centerd.T))[::-1]
    np.testing.assert_allclose(np.cov(found.T), np.diag(variances), atol=1e-3)


def test_principal_plane_of_a_line():
    np.testing.assert_allclose(
        np.abs(principal_plane(np.array([[0.0], [1], [5]]))), [[2, 0], [1, 0], [3, 0]], atol=1e-12
    )


def test_umap_missing_is_said_in_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, 'umap', None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install topkd\[analysis\], or .* by --space features'):
        umap_plane(np.zeros((20, 2)), 0)


@pytest.mark.parametrize('count, neighbors', [(15, 15), (20, 1)])
def test_umap_of_too_few_points(count, neighbors):
    with pytest.raises(
        ValueError, match=f'UMAP with {neighbors} neighbors needs more than {neighbors} points .*, got {count} points'
    ):
        umap_plane(np.zeros((count, 2)), 0, neighbors)


def test_umap_keeps_clusters_apart_and_is_seeded():
    pytest.importorskip('umap', reason='the optional extra topkd[analysis] is not installed')
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], 20)
    points = generator.normal(size=(40, 6)) + 40 * labels[:, None]
    plane = umap_plane(points, seed=3, neighbors=5)
    assert plane.shape == (40, 2) and plane.dtype == np.float64
    np.testing.assert_array_equal(plane, umap_plane(points, seed=3, neighbors=5))
    centers = [plane[labels == number].mean(0) for number in (0, 1)]
    nearest = [np.linalg.norm(plane - center, axis=1) for center in centers]
    assert ((nearest[0] > nearest[1]) == labels).all()
