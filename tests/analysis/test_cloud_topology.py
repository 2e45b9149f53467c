"""Diagrams by dimension, the image that they make together, and where its spec comes from."""

import numpy as np
import pytest
import torch

from topkd.analysis.diagram.cloud_topology import cloud_topology, spec_of_file, summarize_diagram
from topkd.models import RipsNet
from topkd.topology import PersistenceImager
from topkd.utils.checkpoint import save_file

SQUARE = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float64)
SPEC = dict(bandwidth=0.5, im_range=[0.0, 1.0, 0.0, 3.0], scale=20.0, resolution=[4, 6])


def test_unit_square():
    topology, spec = cloud_topology(dict(square=SQUARE), (0, 1))
    diagrams = topology['square'].diagrams
    np.testing.assert_allclose(diagrams[0], [[0, 1]] * 3)
    np.testing.assert_allclose(diagrams[1], [[1, 2**0.5]])
    # (birth, persistence): three times (0, 1), and (1, sqrt 2 - 1)
    assert spec['im_range'] == pytest.approx([0, 1, 2**0.5 - 1, 1])
    assert topology['square'].image.shape == (20, 20) and topology['square'].image.max() == pytest.approx(1)


def test_image_is_the_sum_of_weighted_gaussians():
    image = cloud_topology(dict(square=SQUARE), (0, 1), SPEC)[0]['square'].image
    births, persistences = np.meshgrid(np.linspace(0, 1, 4), np.linspace(0, 3, 6))
    expected = np.zeros((6, 4))
    for birth, persistence in [(0, 1)] * 3 + [(1, 2**0.5 - 1)]:
        weight = 10 * (np.tanh(persistence) + np.log(100 * birth + 1))
        distance = (births - birth) ** 2 + (persistences - persistence) ** 2
        expected += weight * np.exp(-distance / (2 * 0.25)) / (2 * np.pi * 0.25) / 20
    np.testing.assert_allclose(image, expected, rtol=1e-5)


def test_clouds_of_other_sizes_share_one_spec():
    clouds = dict(small=torch.tensor([[0.0], [1], [3]]), large=10 * SQUARE)
    topology, spec = cloud_topology(clouds, (0,))
    assert spec['im_range'] == pytest.approx([0, 0, 1, 10])
    assert max(cloud.image.max() for cloud in topology.values()) == pytest.approx(1)
    imager = PersistenceImager().load_spec(spec)
    np.testing.assert_allclose(
        topology['small'].image.ravel(), imager([torch.tensor([[0.0, 1], [0, 2]])])[0].numpy(), rtol=1e-5
    )


def test_no_image_of_a_single_class_but_with_a_spec():
    pair = torch.tensor([[0.0], [2.0]])
    topology, spec = cloud_topology(dict(pair=pair), (0, 1))
    assert spec is None and topology['pair'].image is None
    np.testing.assert_allclose(topology['pair'].diagrams[0], [[0, 2]])
    assert topology['pair'].diagrams[1].shape == (0, 2)
    assert cloud_topology(dict(pair=pair), (0,), SPEC)[0]['pair'].image.shape == (6, 4)


@pytest.mark.parametrize(
    'cloud',
    [
        torch.cartesian_prod(torch.arange(15.0), torch.arange(15.0)),  # 224 deaths at 1, of which the first 200 count
        1e-6 * torch.rand(20, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64),
    ],
)
def test_no_image_where_no_bandwidth_can_be_fitted(cloud):
    topology, spec = cloud_topology(dict(cloud=cloud), (0, 1))
    assert spec is None and topology['cloud'].image is None
    assert len(topology['cloud'].diagrams[0]) == len(cloud) - 1 and len(topology['cloud'].diagrams[1])


def test_order_of_the_dimensions_does_not_matter():
    cloud = torch.rand(250, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    topology, spec = cloud_topology(dict(cloud=cloud), (1, 0))
    assert list(topology['cloud'].diagrams) == [0, 1] and spec == cloud_topology(dict(cloud=cloud), (0, 1))[1]
    # the first 200 points are deaths of dimension 0
    first = topology['cloud'].diagrams[0][:200, 1]
    distances = abs(first[:, None] - first)
    assert spec['bandwidth'] == pytest.approx(np.quantile(distances[distances > 1e-5], 0.2), rel=1e-5)


def test_summary():
    found = summarize_diagram(np.array([[0.0, 1], [0.5, 3]]))
    assert found == dict(classes=2, births=[0, 0.5], deaths=[1, 3], greatest_persistence=2.5, total_persistence=3.5)
    assert summarize_diagram(np.empty((0, 2))) == dict(classes=0)


def test_spec_of_a_ripsnet_file(tmp_path):
    network = RipsNet(8, resolution=(4, 6), homology_dims=(1,))
    save_file(network.to_file(spec=SPEC), tmp_path / 'ripsnet.pth')
    spec, dims = spec_of_file(str(tmp_path / 'ripsnet.pth'))
    assert dims == [1] and spec == SPEC
    file = dict(network.to_file(spec=SPEC), homology_dims=(0, 1))
    save_file(file, tmp_path / 'both.pth')
    assert spec_of_file(str(tmp_path / 'both.pth'), (1, 0))[1] == [0, 1]
    with pytest.raises(ValueError, match='are of dimensions 1, asked for are 0 1: give --homology-dims 1'):
        spec_of_file(str(tmp_path / 'ripsnet.pth'), (0, 1))
    save_file(network.to_file(), tmp_path / 'bare.pth')
    with pytest.raises(ValueError, match='holds no spec of persistence images'):
        spec_of_file(str(tmp_path / 'bare.pth'))
