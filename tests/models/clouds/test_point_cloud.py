"""Features to clouds: pooling, cutting, gathering, normalizing."""

import distributed
import pytest
import torch
from torch.nn.parallel import DistributedDataParallel

from topkd.models.clouds import BatchCloud, SpatialCloud
from topkd.models.clouds.gathering import gather
from topkd.models.clouds.normalization import normalize_clouds


def test_feature_maps_are_averaged_and_cut_in_order():
    features = torch.rand(6, 5, 4, 3)
    clouds = BatchCloud(num_points=3)(features)
    assert clouds.shape == (2, 3, 5)
    assert torch.allclose(clouds[1, 0], features[3].flatten(1).mean(1))


def test_the_whole_batch_is_one_cloud_by_default():
    assert BatchCloud()(torch.rand(7, 2)).shape == (1, 7, 2)


def test_half_precision_is_raised_before_pooling():
    features = torch.full((2, 1, 64, 64), 60000.0, dtype=torch.float16)
    clouds = BatchCloud(2)(features)
    assert clouds.dtype == torch.float32 and clouds.max().item() == 60000.0  # float32 of half's 60000


@pytest.mark.parametrize('count', [5, 7])
def test_incomplete_batch(count):
    with pytest.raises(
        ValueError, match=f'a cloud needs 6 points, got a batch of {count} images.*multiple of 6.*drop_last'
    ):
        BatchCloud(6)(torch.rand(count, 2))


def test_single_image_is_no_cloud():
    with pytest.raises(ValueError, match='got a batch of 1 images'):
        BatchCloud()(torch.rand(1, 2))


def test_shape_that_is_no_feature():
    with pytest.raises(ValueError, match=r'\(N, C\) or \(N, C, H, W\).*got \(2, 3, 4\)'):
        BatchCloud()(torch.rand(2, 3, 4))


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(num_points=1), 'num_points must be 2 or more, got 1'),
        (dict(normalization='l1'), "normalization must be one of none, unit_norm, mean_distance, got 'l1'"),
        (dict(incomplete='drop'), "incomplete must be 'error' or 'skip', got 'drop'"),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        BatchCloud(**arguments)


def test_normalizations():
    clouds = torch.randn(3, 6, 4, dtype=torch.float64) * 10
    unit = normalize_clouds(clouds, 'unit_norm')
    assert torch.allclose(unit.norm(dim=-1), torch.ones(3, 6, dtype=torch.float64))
    scaled = normalize_clouds(clouds, 'mean_distance')
    for cloud, original in zip(scaled, clouds):
        assert torch.pdist(cloud).mean().item() == pytest.approx(1.0)
        assert torch.allclose(cloud / cloud.norm(), original / original.norm())
    assert normalize_clouds(clouds, 'none') is clouds


def test_mean_distance_has_gradients_at_equal_points():
    clouds = torch.tensor([[[1.0, 2.0], [1.0, 2.0], [3.0, 1.0]]], requires_grad=True)
    normalize_clouds(clouds, 'mean_distance').square().sum().backward()
    assert clouds.grad.isfinite().all()


def test_mean_distance_gradcheck():
    clouds = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: normalize_clouds(x, 'mean_distance'), clouds)


def test_spatial_clouds_are_cells_of_each_map():
    features = torch.arange(2 * 1 * 4 * 4.0).reshape(2, 1, 4, 4)
    clouds = SpatialCloud(grid=2)(features)
    assert clouds.shape == (2, 4, 1)
    assert clouds[0, :, 0].tolist() == [2.5, 4.5, 10.5, 12.5]
    with pytest.raises(ValueError, match=r'feature maps \(N, C, H, W\).*got \(2, 3\)'):
        SpatialCloud()(torch.rand(2, 3))


def _gathered_training_equals_one_process(rank: int) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2).double()
    images = torch.randn(8, 3, dtype=torch.float64)

    def loss_of(points):
        # depends on all pairs of points, as topology does
        return torch.cdist(points, points).square().mean() + points.pow(3).mean()

    loss = loss_of(layer(images))
    loss.backward()
    expected = layer.weight.grad.clone()
    layer.zero_grad()
    model = DistributedDataParallel(layer)
    cloud = BatchCloud(num_points=8, gather=True)
    points = cloud(model(images[4 * rank : 4 * rank + 4]))
    assert points.shape == (1, 8, 2)
    distributed_loss = loss_of(points[0])
    distributed_loss.backward()
    assert torch.allclose(distributed_loss, loss)
    assert torch.allclose(layer.weight.grad, expected)


def test_two_ranks_with_gathered_clouds_train_as_one_process():
    distributed.run(_gathered_training_equals_one_process)


def test_gather_alone_is_the_identity():
    points = torch.rand(3, 2)
    assert gather(points) is points


@pytest.mark.parametrize(
    'cloud, advice', [(BatchCloud(), "':cls' or ':mean'"), (SpatialCloud(grid=4), "tap ends with ':map'")]
)
def test_tokens_become_points_at_the_tap(cloud, advice):
    with pytest.raises(
        ValueError, match=f'got \\(2, 17, 8\\): tokens become that if the tap ends with .*{advice[-6:]}'
    ):
        cloud(torch.rand(2, 17, 8))
    with pytest.raises(ValueError, match='got \\(2, 3, 3, 3, 3\\): tap another module'):
        cloud(torch.rand(2, 3, 3, 3, 3))
