"""Figures of clouds against gudhi and against formulas written out."""

import gudhi
import numpy as np
import pytest
import torch
from gudhi.hera import bottleneck_distance

from topkd.analysis.cloud_comparison import CloudComparison
from topkd.models.vectorizers import RipsNet
from topkd.topology import PersistenceImager, rips_diagrams
from topkd.utils.checkpoint import save_file


@pytest.fixture
def clouds():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(3, 12, 5, generator=generator), torch.randn(3, 12, 5, generator=generator)


@pytest.fixture
def ripsnet(tmp_path, clouds):
    imager = PersistenceImager((20, 20))
    imager.fit(rips_diagrams(clouds[1], (0,)))
    torch.manual_seed(0)
    save_file(RipsNet(5).to_file(imager.spec(), dict(num_points=12)), str(tmp_path / 'ripsnet.pth'))
    return str(tmp_path / 'ripsnet.pth')


def deaths_of(cloud):
    tree = gudhi.RipsComplex(points=cloud.double().numpy()).create_simplex_tree(max_dimension=1)
    tree.compute_persistence()
    diagram = tree.persistence_intervals_in_dimension(0)
    return diagram[np.isfinite(diagram[:, 1])]


def test_figures_against_gudhi(clouds, ripsnet):
    student, teacher = 0.3 * clouds[0], clouds[1]
    found = CloudComparison(ripsnet)(student, teacher)
    means = [[torch.pdist(cloud).mean().item() for cloud in both] for both in (student, teacher)]
    distances = [
        bottleneck_distance(deaths_of(a) / x, deaths_of(b) / y, delta=0) for a, b, x, y in zip(student, teacher, *means)
    ]
    assert found['bottleneck'] == pytest.approx(np.mean(distances), rel=1e-4)
    assert found['scale'] == pytest.approx(np.mean(np.divide(*means)), rel=1e-5)
    seen, ours = (np.concatenate([deaths_of(cloud)[:, 1] for cloud in both]) for both in (teacher, student))
    assert found['seen'] == pytest.approx(np.mean((ours >= seen.min()) & (ours <= seen.max())), abs=1e-6)


def test_errors_are_those_of_the_images(clouds, ripsnet):
    found = CloudComparison(ripsnet)(*clouds)
    network = RipsNet(checkpoint=ripsnet)
    imager = PersistenceImager((20, 20))
    imager.load_spec(network.spec)
    own, teacher = (imager(rips_diagrams(both, (0,))) for both in clouds)
    assert found['image_distance'] == pytest.approx((own - teacher).square().mean().item(), rel=1e-4)
    assert found['ripsnet_error'] == pytest.approx((network(clouds[0]) - own).square().mean().item(), rel=1e-4)


def test_scale_alone_is_no_bottleneck_distance(clouds, ripsnet):
    found = CloudComparison(ripsnet)(0.01 * clouds[1], clouds[1])
    assert found['bottleneck'] == pytest.approx(0, abs=1e-5) and found['scale'] == pytest.approx(0.01)
    assert found['seen'] == 0 and found['image_distance'] > 0
    assert CloudComparison(ripsnet)(clouds[1], clouds[1])['seen'] == 1
    collapsed = CloudComparison(ripsnet)(torch.zeros(3, 12, 5), clouds[1])
    assert all(np.isfinite(value) for value in collapsed.values())


def test_a_file_without_spec_is_refused(tmp_path):
    save_file(RipsNet(5).to_file(), str(tmp_path / 'bare.pth'))
    with pytest.raises(ValueError, match='does not say what its images are'):
        CloudComparison(str(tmp_path / 'bare.pth'))


def test_another_ripsnet_is_judged_in_the_unit_of_the_first(clouds, ripsnet, tmp_path):
    first = RipsNet(checkpoint=ripsnet)
    twice = dict(first.spec, scale=2 * first.spec['scale'])
    torch.manual_seed(1)
    other = RipsNet(5)
    save_file(other.to_file(twice, dict(num_points=12)), str(tmp_path / 'other.pth'))
    found = CloudComparison(ripsnet, dict(other=str(tmp_path / 'other.pth')))(*clouds)
    imager = PersistenceImager((20, 20))
    imager.load_spec(first.spec)
    # its images are half as bright as the first one's
    expected = (2 * other(clouds[0]) - imager(rips_diagrams(clouds[0], (0,)))).square().mean().item()
    assert found['ripsnet_error_other'] == pytest.approx(expected, rel=1e-4)
