import builtins

import pytest
import torch

from topkd.topology import rips_h0
from topkd.topology.kernels.few_clouds import _prim, trees_of_few
from topkd.topology.kernels.host_deaths import deaths_of_trees


@pytest.fixture(autouse=True)
def forget_scipy():
    _prim.cache_clear()
    yield
    _prim.cache_clear()


def hide(monkeypatch, *names):
    real = builtins.__import__

    def fake(name, *args, **kwargs):
        if name in names:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', fake)


def deaths_of_few(points):
    return deaths_of_trees(points, trees_of_few(points.detach()))


def make_points(count=2, n=10):
    return torch.randn(count, n, 4, generator=torch.Generator().manual_seed(0))


def test_only_a_handful_is_taken():
    assert trees_of_few(make_points(4)).lengths.shape == (4, 9)
    assert trees_of_few(make_points(5)) is None
    assert trees_of_few(make_points(2, 257)) is None


@pytest.mark.parametrize('factor', [1e-15, 1e20, float('nan'), 0.0])
def test_bad_scale_is_left_to_the_general_way(factor):
    assert trees_of_few(factor * make_points()) is None


def test_wide_clouds_are_left_to_matrix_products():
    points = torch.randn(2, 128, 300, generator=torch.Generator().manual_seed(0))
    assert trees_of_few(points) is None
    torch.testing.assert_close(rips_h0(points)[:1], deaths_of_few(points[:1]))


@pytest.mark.parametrize('which', [0, 1])
def test_points_and_deaths_changed_before_backward_are_an_error(which):
    points = make_points().requires_grad_() * 1
    deaths = deaths_of_few(points)
    (points, deaths)[which].add_(1)
    with pytest.raises(RuntimeError, match='modified by an inplace operation'):
        deaths.sum().backward()


def test_public_linkage_is_as_good(monkeypatch):
    points = make_points()
    expected = deaths_of_few(points)
    hide(monkeypatch, 'scipy.cluster._hierarchy')
    _prim.cache_clear()
    assert torch.equal(deaths_of_few(points), expected)


def test_without_scipy_the_general_way_is_taken(monkeypatch):
    points = make_points()
    expected = rips_h0(points)
    hide(monkeypatch, 'scipy.cluster.hierarchy')
    _prim.cache_clear()
    assert trees_of_few(points) is None
    torch.testing.assert_close(rips_h0(points), expected)
