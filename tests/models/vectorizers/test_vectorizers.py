"""RipsNet and the exact image behind one interface."""

import gudhi
import numpy as np
import pytest
import torch
from gudhi.representations import PersistenceImage

from topkd.models import RipsImage, RipsNet
from topkd.models.vectorizers import units_for
from topkd.utils.checkpoint import save_file


def gudhi_diagram(points: np.ndarray, dimension: int) -> np.ndarray:
    """The released route: Rips complex, simplex tree, persistence; essential classes dropped."""
    tree = gudhi.RipsComplex(points=points).create_simplex_tree(max_dimension=dimension + 1)
    tree.compute_persistence()
    diagram = tree.persistence_intervals_in_dimension(dimension)
    return diagram[np.isfinite(diagram).all(1)]


def gudhi_image(diagram: np.ndarray, spec: dict) -> np.ndarray:
    image = PersistenceImage(
        bandwidth=spec['bandwidth'],
        im_range=spec['im_range'],
        resolution=spec['resolution'],
        weight=lambda point: 10 * (np.tanh(point[1]) + np.log(100 * point[0] + 1)),
    )
    return image.fit_transform([diagram])[0] / spec['scale']


@pytest.mark.parametrize(
    'width, units',
    [
        (16, (16, 16, 16)),
        (32, (32, 16, 16)),
        (64, (64, 32, 32)),
        (128, (128, 64, 64)),
        (256, (256, 128, 128)),
        (512, (512, 256, 256)),
        (1024, (512, 256, 256)),
        (2048, (1024, 512, 256)),
        (8, (16, 16, 16)),
        (960, (512, 256, 256)),
    ],
)
def test_units(width, units):
    assert units_for(width) == units


def test_parameters_of_table_13():
    network = RipsNet(64)
    assert sum(parameter.numel() for parameter in network.parameters()) == 113_896
    per_point = sum(2 * layer.weight.numel() for layer in network.point_layers)
    per_image = sum(2 * layer.weight.numel() for layer in network.image_layers)
    assert 64 * per_point + per_image == pytest.approx(1.131e6, rel=0.01)


@pytest.mark.parametrize('operator', ['mean', 'sum'])
def test_forward_is_the_formula(operator):
    torch.manual_seed(0)
    network = RipsNet(5, operator, units=(4, 3, 2), resolution=(2, 3))
    points = torch.randn(2, 7, 5)
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    for cloud, image in zip(points.numpy(), network(points).detach().numpy()):
        hidden = cloud
        for i in range(3):
            hidden = np.maximum(hidden @ state[f'point_layers.{i}.weight'].T + state[f'point_layers.{i}.bias'], 0)
        hidden = hidden.mean(0) if operator == 'mean' else hidden.sum(0)
        for i in range(3):
            hidden = np.maximum(state[f'image_layers.{i}.weight'] @ hidden, 0)
        assert np.allclose(1 / (1 + np.exp(-state['image_layers.3.weight'] @ hidden)), image, atol=1e-6)


def test_order_of_points_does_not_matter():
    network, points = RipsNet(16), torch.randn(1, 9, 16)
    assert torch.allclose(network(points), network(points[:, torch.randperm(9)]), atol=1e-6)


def test_unknown_operator():
    with pytest.raises(ValueError, match="operator must be 'mean' or 'sum', got 'max'"):
        RipsNet(64, 'max')


def test_neither_width_nor_checkpoint():
    with pytest.raises(RuntimeError, match='no layers yet: give it in_channels or a checkpoint, or bind it'):
        RipsNet()(torch.zeros(1, 8, 3))


def test_points_of_another_width():
    with pytest.raises(ValueError, match=r'expects clouds \(B, n, 64\), got \(1, 8, 32\)'):
        RipsNet(64)(torch.zeros(1, 8, 32))


def test_file_round_trip(tmp_path):
    torch.manual_seed(0)
    network = RipsNet(32, 'sum', resolution=(1, 12))
    spec = dict(bandwidth=0.5, im_range=[0, 0, 1, 2], scale=3.0, resolution=[1, 12])
    save_file(network.to_file(spec, dict(num_points=8)), tmp_path / 'ripsnet.pth')
    loaded = RipsNet(checkpoint=str(tmp_path / 'ripsnet.pth'), resolution=(1, 12))
    assert loaded.operator == 'sum' and loaded.units == (32, 16, 16)
    assert loaded.spec == spec and loaded.source == dict(num_points=8)
    points = torch.randn(2, 8, 32)
    assert torch.equal(loaded(points), network(points))


@pytest.mark.parametrize(
    'asked, message',
    [
        (dict(in_channels=64), 'has in_channels 32, the config asks for 64'),
        (dict(homology_dims=(1,)), r'has homology_dims \[0\], the config asks for \[1\]'),
        (dict(resolution=(1, 400)), r'has resolution \[20, 20\], the config asks for \[1, 400\]'),
    ],
)
def test_file_of_other_clouds_or_images(tmp_path, asked, message):
    save_file(RipsNet(32).to_file(), tmp_path / 'ripsnet.pth')
    with pytest.raises(ValueError, match=message + '.*tools/gen_pi.py'):
        RipsNet(checkpoint=str(tmp_path / 'ripsnet.pth'), **asked)


def test_file_that_is_no_ripsnet(tmp_path):
    save_file(dict(state_dict={}), tmp_path / 'other.pth')
    with pytest.raises(ValueError, match='is not a RipsNet file .it lacks in_channels, operator, units'):
        RipsNet(checkpoint=str(tmp_path / 'other.pth'))


@pytest.mark.parametrize('change', [dict(operator='max'), dict(operator=None), dict(operator=[]), dict(source=[1])])
def test_file_of_an_unknown_operator_or_source(tmp_path, change):
    save_file(dict(RipsNet(32).to_file(), **change), tmp_path / 'ripsnet.pth')
    with pytest.raises(
        ValueError, match="must say one of the operators mean, sum, and a dict of the clouds' source, got"
    ):
        RipsNet(checkpoint=str(tmp_path / 'ripsnet.pth'))


def test_missing_file_names_the_two_commands(tmp_path):
    with pytest.raises(
        FileNotFoundError, match='(?s)does not exist.*tools/gen_pi.py CONFIG.*tools/train_ripsnet.py CONFIG'
    ):
        RipsNet(checkpoint=str(tmp_path / 'none.pth'))


@pytest.mark.parametrize(
    'homology_dims, resolution', [((0,), (20, 20)), ((0,), (1, 25)), ((1,), (20, 20)), ((0, 1), (10, 10))]
)
def test_exact_image_is_gudhis(homology_dims, resolution):
    torch.manual_seed(0)
    points = torch.randn(4, 24, 3)
    vectorizer = RipsImage(homology_dims, resolution, fit_batches=1)
    vectorizer.observe(points)
    spec = vectorizer.imager.spec()
    images = vectorizer(points).numpy()
    for cloud, image in zip(points.double().numpy(), images):
        diagram = np.concatenate([gudhi_diagram(cloud, dimension) for dimension in homology_dims])
        assert np.allclose(gudhi_image(diagram, dict(spec, resolution=list(resolution))), image, atol=1e-5)


def test_exact_image_has_gradients():
    torch.manual_seed(0)
    vectorizer = RipsImage(fit_batches=1)
    vectorizer.observe(torch.randn(4, 16, 3))
    points = torch.randn(2, 16, 3, requires_grad=True)
    vectorizer(points).square().sum().backward()
    assert points.grad.isfinite().all() and points.grad.abs().sum() > 0


def test_spec_is_fitted_on_the_first_batches_only_and_saved():
    torch.manual_seed(0)
    batches = [torch.randn(2, 16, 3) * scale for scale in (1, 2, 50)]
    vectorizer = RipsImage(fit_batches=2)
    for points in batches[:2]:
        vectorizer.observe(points)
    spec = vectorizer.imager.spec()
    together = RipsImage(fit_batches=1)
    together.observe(torch.cat(batches[:2]))
    assert spec == together.imager.spec()
    vectorizer.observe(batches[2])
    assert vectorizer.imager.spec() == spec
    resumed = RipsImage(fit_batches=2)
    resumed.load_state_dict(vectorizer.state_dict())
    resumed.observe(batches[2])
    assert resumed.imager.spec() == spec


def test_spec_from_a_ripsnet_file(tmp_path):
    fitted = RipsImage(fit_batches=1)
    fitted.observe(torch.randn(4, 16, 3))
    save_file(RipsNet(16).to_file(fitted.imager.spec()), tmp_path / 'ripsnet.pth')
    vectorizer = RipsImage(spec=str(tmp_path / 'ripsnet.pth'))
    assert vectorizer.imager.spec() == fitted.imager.spec()
    vectorizer.observe(torch.randn(4, 16, 3) * 9)
    assert vectorizer.imager.spec() == fitted.imager.spec()
