"""Clouds of annotated objects, and pooling that leaves padding out."""

import pytest
import torch
from tiny_detectors import batch, build, distiller, step

from topkd.models import BatchCloud, RoICloud
from topkd.models.clouds.point_cloud import IncompleteCloudError
from topkd.models.clouds.roi_cloud import gt_rois, roi_points


def samples(boxes, size=(64, 64), sizes=None):
    data_samples = batch(boxes=boxes, sizes=sizes)['data_samples']
    for sample in data_samples:
        sample.set_metainfo(dict(batch_input_shape=size))
    return data_samples


def coordinates(stride: int, size: int = 512) -> torch.Tensor:
    """Return a level (1, 2, H, W) whose cells hold the pixel coordinates (x, y) of their centers."""
    centers = (torch.arange(size // stride) + 0.5) * stride
    return torch.stack(torch.meshgrid(centers, centers, indexing='xy'))[None]


def test_mean_of_coordinates_inside_a_box_is_its_centre():
    rois = torch.tensor(
        [[0, 100.0, 200.0, 140.0, 230.0], [0, 50.0, 60.0, 200.0, 200.0], [0, 100.0, 100.0, 500.0, 420.0]]
    )
    levels = [coordinates(stride) for stride in (4, 8, 16, 32)]
    centers = (rois[:, 1:3] + rois[:, 3:]) / 2
    assert torch.allclose(roi_points(levels, rois, 512, 7), centers, atol=0.5)


def test_boxes_are_read_on_the_level_that_fits_their_size():
    # sides 32, 56, 112, 224 and 500 pixels: FPN's rule with its canonical 224 pixels on the third level
    sides = [32, 56.1, 112.1, 224.1, 500]
    rois = torch.tensor([[0, 4.0, 4.0, 4 + side, 4 + side] for side in sides])
    levels = [
        torch.full((1, 1, 512 // stride, 512 // stride), float(index)) for index, stride in enumerate((4, 8, 16, 32))
    ]
    assert roi_points(levels, rois, 512, 7)[:, 0].tolist() == [0, 0, 1, 2, 3]


def test_few_objects_are_repeated_and_many_are_thinned():
    data_samples = samples([[[0, 0, 8, 8], [8, 8, 40, 40]], [[4, 4, 20, 20]]])
    features = torch.randn(2, 5, 16, 16, generator=torch.Generator().manual_seed(0))
    all_points = roi_points([features], gt_rois(data_samples), 64, 7)
    many = RoICloud(num_points=7)(features, data_samples=data_samples)
    assert many.shape == (1, 7, 5)
    assert torch.equal(many[0], all_points[[0, 1, 2, 0, 1, 2, 0]])
    assert torch.equal(RoICloud(num_points=2)(features, data_samples=data_samples)[0], all_points[[0, 1]])


def test_batch_without_objects_is_an_incomplete_cloud():
    with pytest.raises(IncompleteCloudError, match='a cloud of objects needs one object at least'):
        RoICloud()(torch.zeros(2, 5, 16, 16), data_samples=samples([[], []]))


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(num_points=1), 'num_points must be 2 or more, got 1'),
        (dict(incomplete='no'), "incomplete must be 'error' or 'skip', got 'no'"),
    ],
)
def test_wrong_arguments(changes, message):
    with pytest.raises(ValueError, match=message):
        RoICloud(**changes)


def test_objects_in_the_topology_term():
    cloud = dict(type='RoICloud', num_points=6)
    model = build(distiller(kd=None, topology=dict(cloud=cloud))).train()
    losses = step(model, batch())
    model.parse_losses(losses)[0].backward()
    assert losses['loss_topology'] > 0
    assert step(model, batch(boxes=[[], [], [], []]))['loss_topology'].item() == 0


def test_spatial_cloud_in_the_topology_term():
    cloud = dict(type='SpatialCloud', grid=2)
    model = build(distiller(kd=None, topology=dict(cloud=cloud, student_tap='neck[0]'))).train()
    assert step(model, batch())['loss_topology'] > 0
    assert model.losses.topology.teacher_tap == 'neck[0]'
    levels = build(distiller(kd=None, topology=dict(cloud=cloud))).train()
    with pytest.raises(ValueError, match='needs the feature maps .* of one tap, got 4 taps'):
        step(levels, batch())


def test_padding_does_not_move_an_images_point():
    features = torch.randn(2, 5, 16, 16, generator=torch.Generator().manual_seed(0)).requires_grad_()
    data_samples = samples([[], []], sizes=[(64, 64), (30, 41)])
    points = BatchCloud(ignore_padding=True)(features, data_samples=data_samples)[0]
    # 30 of 64 pixels are 7.5 of 16 cells: the eighth shows a part of the image
    expected = torch.stack([features[0].mean((1, 2)), features[1, :, :8, :11].mean((1, 2))])
    assert torch.allclose(points, expected, atol=1e-6)
    points[1].sum().backward()
    assert features.grad[1, :, :8, :11].allclose(torch.tensor(1 / 88))
    assert features.grad[1].sum().item() == pytest.approx(5) and (features.grad[1, :, 8:] == 0).all()
    assert torch.allclose(BatchCloud()(features)[0, 1], features[1].mean((1, 2)))


def test_levels_are_averaged_with_equal_weight():
    levels = [torch.randn(4, 5, size, size) for size in (8, 4)]
    expected = (levels[0].mean((2, 3)) + levels[1].mean((2, 3))) / 2
    assert torch.allclose(BatchCloud(num_points=2)(levels), expected.reshape(2, 2, 5), atol=1e-6)
