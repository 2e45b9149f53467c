"""Names and manifests of a teacher's artifact."""

import json

import pytest

from topkd.artifacts.artifact import artifact_name, check_request, read_manifest
from topkd.artifacts.integrity import sealed
from topkd.models.losses.topology_configs import build_unloaded
from topkd.utils.files import write_json


def loss(**changes) -> dict:
    config = dict(
        type='TopologyLoss',
        teacher_tap='neck[0]',
        cloud=dict(type='BatchCloud', num_points=64),
        vectorizer=dict(type='RipsNet', homology_dims=(0,), resolution=(20, 20)),
    )
    config.update(changes)
    return config


@pytest.mark.parametrize(
    'changes, name',
    [
        (dict(), 'resnet56_cifar100_neck-0_n64_h0'),
        (dict(teacher_tap='backbone.layer2'), 'resnet56_cifar100_backbone-layer2_n64_h0'),
        (dict(vectorizer=dict(type='RipsNet', homology_dims=(0, 1))), 'resnet56_cifar100_neck-0_n64_h01'),
        (
            dict(cloud=dict(type='BatchCloud', num_points=8, normalization='unit_norm')),
            'resnet56_cifar100_neck-0_n8_h0_unit_norm',
        ),
        (dict(cloud=dict(type='SpatialCloud', grid=4)), 'resnet56_cifar100_neck-0_n16_h0_SpatialCloud'),
        (dict(vectorizer=dict(type='RipsNet', resolution=(1, 400))), 'resnet56_cifar100_neck-0_n64_h0_1x400'),
        (dict(teacher_tap=['neck[0]', 'neck[1]']), 'resnet56_cifar100_neck-0-neck-1_n64_h0'),
        (dict(cloud=dict(type='SpatialCloud')), 'resnet56_cifar100_neck-0_n64_h0_SpatialCloud'),
        (dict(cloud=dict(type='RoICloud')), 'resnet56_cifar100_neck-0_n16_h0_RoICloud'),
        (dict(cloud=dict(type='BatchCloud')), 'resnet56_cifar100_neck-0_nbatch_h0'),
    ],
)
def test_folder_says_what_is_in_it(changes, name):
    artifact = build_unloaded(loss(**changes)).artifact('resnet56_cifar100')
    assert artifact.folder.as_posix() == f'work_dirs/ripsnet/{name}'


def test_explicit_checkpoint_decides():
    artifact = build_unloaded(loss(vectorizer=dict(type='RipsNet', checkpoint='elsewhere/mine.pth'))).artifact('any')
    assert (artifact.folder.as_posix(), artifact.ripsnet.as_posix()) == ('elsewhere', 'elsewhere/mine.pth')


def test_only_a_ripsnet_without_weights_needs_an_artifact():
    assert build_unloaded(loss()).network.needs_artifact
    assert not build_unloaded(loss(vectorizer=dict(type='RipsNet', in_channels=5))).network.needs_artifact
    assert not build_unloaded(loss(vectorizer=dict(type='RipsImage'))).network.needs_artifact


def test_whole_batches_are_clouds_of_the_training_batch_filed_under_one_name():
    clouds = loss(cloud=dict(type='BatchCloud'))
    small, large = (build_unloaded(clouds).artifact('t', batch_size=size) for size in (32, 64))
    assert (small.request['num_points'], large.request['num_points']) == (32, 64)
    assert small.folder == large.folder


def test_a_distance_has_no_artifact():
    with pytest.raises(ValueError, match="compares clouds by 'sorted_deaths': it needs neither clouds nor RipsNet"):
        build_unloaded(loss(distance='sorted_deaths')).artifact('t')


def test_manifest_states(tmp_path):
    with pytest.raises(FileNotFoundError, match='holds no clouds: run tools/gen_pi.py CONFIG first'):
        read_manifest(tmp_path)
    write_json(dict(request={}, complete=False), tmp_path / 'manifest.json')
    with pytest.raises(ValueError, match='are not finished: run tools/gen_pi.py CONFIG again'):
        read_manifest(tmp_path)
    (tmp_path / 'manifest.json').write_text('{"request": ')
    with pytest.raises(ValueError, match='manifest.json. is damaged'):
        read_manifest(tmp_path)
    write_json(dict(request=dict(seed=1), complete=True), tmp_path / 'manifest.json')
    assert read_manifest(tmp_path)['request'] == json.loads((tmp_path / 'manifest.json').read_text())['request']


def test_request_of_another_config_names_what_differs():
    with pytest.raises(
        ValueError, match=r"was made for another config \(tap 'neck\[0\]', asked for 'backbone'; seed None"
    ):
        check_request(dict(tap='neck[0]', num_points=64), dict(tap='backbone', num_points=64, seed=1), 'folder')


def test_a_manifest_of_which_a_value_was_changed(tmp_path):
    content = sealed(dict(request=dict(num_clouds=4), spec=dict(scale=2.0), complete=True))
    path = tmp_path / 'manifest.json'
    path.write_text(json.dumps(content))
    assert read_manifest(tmp_path) == content
    path.write_text(json.dumps(dict(content, spec=dict(scale=4.0))))
    with pytest.raises(ValueError, match=r'is damaged \(a value was changed\): run tools/gen_pi.py CONFIG again'):
        read_manifest(tmp_path)
    path.write_text('[1]')
    with pytest.raises(ValueError, match=r'is damaged \(it holds a list\)'):
        read_manifest(tmp_path)


@pytest.mark.parametrize('teacher', ['', ' ', '/resnet', '../../resnet', 'a/../../resnet'])
def test_a_teacher_is_no_path_out_of_the_artifacts(teacher):
    with pytest.raises(ValueError, match="teacher.name is a part of its artifacts' folder, got '.*': name network and"):
        artifact_name(teacher, {})
