"""A teacher and several students on the same images: which networks, which images, which clouds."""

import pytest
import torch
from mmengine.config import Config
from small import batch, build, classifier, distiller

from topkd.analysis.loaders import cloud_loader
from topkd.analysis.student_checkpoints import load_students
from topkd.analysis.trained_students import TrainedStudents
from topkd.models import RoICloud, SpatialCloud
from topkd.models.clouds import BatchCloud
from topkd.models.losses.topology_configs import topology_config
from topkd.utils.checkpoint import save_file


@pytest.fixture
def checkpoints(tmp_path):
    """Write two students of different weights and return their files by name."""
    paths = {}
    for seed, name in enumerate(('plain', 'KD')):
        torch.manual_seed(seed)
        save_file(dict(state_dict=build(classifier(4)).state_dict()), tmp_path / f'{name}.pth')
        paths[name] = str(tmp_path / f'{name}.pth')
    return paths


@pytest.fixture
def students(checkpoints):
    """Return a small distiller and two students of different weights, loaded from files."""
    model = build(distiller(student_width=4)).eval()
    return TrainedStudents(model, load_students(model, checkpoints), model.losses['topology'])


def test_all_networks_see_the_same_images(students):
    model, networks = students.model, students.students
    batches = [batch(16, seed=seed) for seed in range(3)]
    shown = list(students.features(batches, limit=2))
    assert students.names == ('teacher', 'plain', 'KD')
    assert len(shown) == 2 and list(shown[0].features) == ['teacher', 'plain', 'KD']
    inputs = model.data_preprocessor(batches[1], False)['inputs']
    with torch.no_grad():
        torch.testing.assert_close(shown[1].features['teacher'], model.teacher.module.extract_feat(inputs)[0])
        for name, network in networks.items():
            torch.testing.assert_close(shown[1].features[name], network.extract_feat(inputs)[0])
    assert not torch.allclose(shown[1].features['plain'], shown[1].features['KD'])


def test_clouds_are_projected_where_asked_for(students):
    loss = students.loss
    students.projections['KD'] = loss.projection
    shown = next(students.features([batch(16)]))
    clouds = students.clouds_of(shown)
    assert not clouds['KD'].requires_grad
    torch.testing.assert_close(clouds['plain'], shown.features['plain'].reshape(2, 8, 16))
    torch.testing.assert_close(clouds['KD'], loss.projection(shown.features['KD']).reshape(2, 8, 32))


def test_a_student_cannot_be_called_teacher(students):
    with pytest.raises(ValueError, match="'teacher' is the name of the config's own teacher"):
        load_students(students.model, dict(teacher='a.pth'))


def test_a_loss_that_is_not_there():
    with pytest.raises(KeyError, match=r"no topology loss 'kd' \(it has: topology\): name one of them by --loss"):
        topology_config(Config(dict(model=distiller(student_width=4))), 'kd')


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
    found = list(students.clouds([batch(12), batch(16)]))
    assert len(found) == 1
    expected = students.clouds_of(next(students.features([batch(16)])))
    assert all(torch.equal(clouds, expected[name]) for name, clouds in found[0].items()) and list(found[0]) == list(
        expected
    )


def test_clouds_of_objects_need_training_images(digits_config):
    with pytest.raises(ValueError, match='need boxes in pixels of the resized image, .* use --split train'):
        cloud_loader(digits_config('topkd/resnet20-resnet8_digits_exact.py'), 'test', RoICloud(), 0)


def test_students_of_a_config_and_their_files(digits_config, tmp_path):
    """The object holds the files' weights, and its loaders are those of the config."""
    cfg = digits_config('topkd/resnet20-resnet8_digits_exact.py', **{'model.losses.topology.cloud.num_points': 24})
    weights = {}
    for seed, name in enumerate(('plain', 'KD')):
        torch.manual_seed(seed)
        weights[name] = build(cfg.model.student).state_dict()
        save_file(dict(state_dict=weights[name]), tmp_path / f'{name}.pth')
    trained = TrainedStudents.load(cfg, {name: str(tmp_path / f'{name}.pth') for name in weights})
    assert trained.names == ('teacher', 'plain', 'KD') and trained.loss is trained.model.losses['topology']
    for name, network in trained.students.items():
        assert not network.training
        for key, value in network.state_dict().items():
            assert torch.equal(value, weights[name][key]), (name, key)
    mine, direct = trained.loader('test', seed=3), cloud_loader(cfg, 'test', trained.loss.cloud, 3)
    assert next(iter(mine))['inputs'].equal(next(iter(direct))['inputs']) and mine.batch_size == 24
    images = trained.image_loader('test')
    assert next(iter(images))['inputs'].equal(images.dataset.images[: images.batch_size])
    clouds = next(trained.clouds(mine))
    assert {name: tuple(points.shape) for name, points in clouds.items()} == dict.fromkeys(trained.names, (1, 24, 64))


def test_projections_are_loaded_where_asked_for(checkpoints, tmp_path):
    cfg = Config(dict(model=distiller(student_width=4)))
    assert TrainedStudents.load(cfg, checkpoints).projections == {}
    with pytest.raises(ValueError, match='holds no trained projection'):
        TrainedStudents.load(cfg, checkpoints, project=True)
    state = build(distiller(student_width=4)).state_dict()
    save_file(dict(state_dict=state), tmp_path / 'whole.pth')
    trained = TrainedStudents.load(cfg, dict(whole=str(tmp_path / 'whole.pth')), project=True)
    shown = next(trained.features([batch(16)]))
    weight, bias = (state[f'losses.topology.projection.{key}'] for key in ('weight', 'bias'))
    expected = shown.features['whole'] @ weight.T + bias
    torch.testing.assert_close(trained.clouds_of(shown)['whole'], expected.reshape(2, 8, 32))


def test_students_without_a_config_have_no_data(students):
    for loader in (students.loader, students.image_loader):
        with pytest.raises(ValueError, match='came without a config, so there is no data to load: hand over batches'):
            loader('test')


def test_features_and_clouds_are_those_of_the_networks():
    torch.manual_seed(0)
    model = TrainedStudents.load(Config(dict(model=distiller(student_width=4))), {}).model
    assert not model.training
    model.student.init_weights()
    batches = [batch(16, seed=seed) for seed in range(3)]
    loss = model.losses.topology
    trained = TrainedStudents(model, dict(student=model.student), loss, dict(student=loss.projection))
    found = list(trained.features(batches, limit=2))
    with torch.no_grad():
        inputs = model.data_preprocessor(batches[1], False)['inputs']
        student, teacher = model.student.extract_feat(inputs)[0], model.teacher.module.extract_feat(inputs)[0]
    assert len(found) == 2
    torch.testing.assert_close(found[1].features['student'], student)
    torch.testing.assert_close(found[1].features['teacher'], teacher)
    assert torch.stack([sample.gt_label[0] for sample in found[1].data_samples]).equal(batches[1]['gt_label'])
    clouds = trained.clouds_of(found[1])
    torch.testing.assert_close(clouds['student'], loss.projection(student).reshape(2, 8, 32))
    torch.testing.assert_close(clouds['teacher'], teacher.reshape(2, 8, 32))


def test_a_plain_config_is_no_pair():
    with pytest.raises(KeyError, match='no teacher: name a distillation config'):
        TrainedStudents.load(Config(dict(model=classifier())), {})
