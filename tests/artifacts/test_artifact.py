"""Names and manifests of a teacher's artifact."""

import json

import pytest

from topkd.artifacts.artifact import artifact_folder, check_request, read_manifest, ripsnet_path
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
        (dict(cloud=dict(num_points=8, normalization='unit_norm')), 'resnet56_cifar100_neck-0_n8_h0_unit_norm'),
        (dict(cloud=dict(type='SpatialCloud', grid=4)), 'resnet56_cifar100_neck-0_n16_h0_SpatialCloud'),
        (dict(vectorizer=dict(type='RipsNet', resolution=(1, 400))), 'resnet56_cifar100_neck-0_n64_h0_1x400'),
        (dict(teacher_tap=['neck[0]', 'neck[1]']), 'resnet56_cifar100_neck-0-neck-1_n64_h0'),
    ],
)
def test_folder_says_what_is_in_it(changes, name):
    assert artifact_folder('resnet56_cifar100', loss(**changes)) == f'work_dirs/ripsnet/{name}'


def test_explicit_checkpoint_decides():
    config = loss(vectorizer=dict(type='RipsNet', checkpoint='elsewhere/ripsnet.pth'))
    assert artifact_folder('any', config) == 'elsewhere'
    assert ripsnet_path(config, 'any') is config


def test_path_is_filled_in_for_ripsnets_only():
    assert ripsnet_path(loss(), 't')['vectorizer']['checkpoint'] == 'work_dirs/ripsnet/t_neck-0_n64_h0/ripsnet.pth'
    exact = loss(vectorizer=dict(type='RipsImage'))
    assert ripsnet_path(exact, 't') is exact
    assert ripsnet_path(dict(type='KDLoss'), 't') == dict(type='KDLoss')


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
