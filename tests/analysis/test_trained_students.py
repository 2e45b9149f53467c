"""A teacher and several students on the same images: which networks, which images, which clouds."""

import pytest
import torch
from small import batch, build, classifier, distiller

from topkd.analysis.trained_students import (
    cloud_loader,
    load_students,
    network_clouds,
    network_features,
    whole_clouds,
)
from topkd.models import RoICloud, SpatialCloud
from topkd.models.clouds import BatchCloud
from topkd.models.losses.topology_configs import named_topology_loss
from topkd.utils.checkpoint import save_file


@pytest.fixture
def students(tmp_path):
    """Return a small distiller and two students of different weights, loaded from files."""
    model = build(distiller(student_width=4)).eval()
    paths = {}
    for seed, name in enumerate(('plain', 'KD')):
        torch.manual_seed(seed)
        save_file(dict(state_dict=build(classifier(4)).state_dict()), tmp_path / f'{name}.pth')
        paths[name] = str(tmp_path / f'{name}.pth')
    return model, load_students(model, paths)


def test_all_networks_see_the_same_images(students):
    model, networks = students
    batches = [batch(16, seed=seed) for seed in range(3)]
    shown = list(network_features(model, networks, named_topology_loss(model.losses), batches, limit=2))
    assert len(shown) == 2 and list(shown[0].features) == ['teacher', 'plain', 'KD']
    inputs = model.data_preprocessor(batches[1], False)['inputs']
    with torch.no_grad():
        torch.testing.assert_close(shown[1].features['teacher'], model.teacher.module.extract_feat(inputs)[0])
        for name, network in networks.items():
            torch.testing.assert_close(shown[1].features[name], network.extract_feat(inputs)[0])
    assert not torch.allclose(shown[1].features['plain'], shown[1].features['KD'])


def test_clouds_are_projected_where_asked_for(students):
    model, networks = students
    loss = named_topology_loss(model.losses)
    shown = next(network_features(model, networks, loss, [batch(16)]))
    clouds = network_clouds(loss, dict(KD=loss.projection), shown)
    torch.testing.assert_close(clouds['plain'], shown.features['plain'].reshape(2, 8, 16))
    torch.testing.assert_close(clouds['KD'], loss.projection(shown.features['KD']).reshape(2, 8, 32))


def test_a_student_cannot_be_called_teacher(students):
    with pytest.raises(ValueError, match="'teacher' is the name of the config's own teacher"):
        load_students(students[0], dict(teacher='a.pth'))


def test_a_loss_that_is_not_there(students):
    with pytest.raises(KeyError, match=r"no topology loss 'kd' \(it has: topology\): name one of them by --loss"):
        named_topology_loss(students[0].losses, 'kd')


def test_a_batch_is_one_cloud_of_random_images(digits_config):
    cfg = digits_config('topkd/resnet20-resnet8_digits_exact.py')
    loaders = [cloud_loader(cfg, 'test', BatchCloud(num_points=24), seed) for seed in (0, 0, 1)]
    batches = [list(loader) for loader in loaders]
    assert [len(item['inputs']) for item in batches[0]] == [24, 24]  # of 64 images, 16 make no whole cloud
    images = [torch.cat([item['inputs'] for item in items]) for items in batches]
    assert images[0].equal(images[1]) and not images[0].equal(images[2])
    files = loaders[0].dataset.images
    assert not images[0][:24].equal(files[:24]) and all((files == image).flatten(1).all(1).any() for image in images[0])
    whole = cloud_loader(cfg, 'test', BatchCloud(), 0)
    assert whole.batch_size == cfg.train_dataloader.batch_size
    assert cloud_loader(cfg, 'test', SpatialCloud(grid=2), 0).batch_size == cfg.test_dataloader.batch_size


def test_batches_without_a_whole_cloud_are_passed_over(students):
    model, networks = students
    loss = named_topology_loss(model.losses)
    found = list(whole_clouds(model, networks, {}, loss, [batch(12), batch(16)]))
    assert len(found) == 1
    expected = network_clouds(loss, {}, next(network_features(model, networks, loss, [batch(16)])))
    assert all(torch.equal(clouds, expected[name]) for name, clouds in found[0].items()) and list(found[0]) == list(
        expected
    )


def test_clouds_of_objects_need_training_images(digits_config):
    with pytest.raises(ValueError, match='need boxes in pixels of the resized image, .* use --split train'):
        cloud_loader(digits_config('topkd/resnet20-resnet8_digits_exact.py'), 'test', RoICloud(), 0)
