"""Clouds at other scales and of students: which, by whom, by how much, and whose images they get."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import MODELS

from topkd.artifacts.cloud_origins import CloudOrigins
from topkd.runners import PersistenceImageRunner, RipsNetRunner
from topkd.topology import PersistenceImager, rips_h0


def test_factors_are_log_uniform_and_depend_on_seed_and_cloud_alone():
    factors = np.array([CloudOrigins((0.1, 3.0), seed=5).factor(cloud) for cloud in range(1, 4001, 2)])
    assert factors.min() >= 0.1 and factors.max() <= 3.0
    # the median of a log-uniform variable is the geometric mean of its bounds
    assert np.median(factors) == pytest.approx(0.3**0.5, rel=0.1)
    assert CloudOrigins((0.1, 3.0), seed=6).factor(1) != factors[0] == CloudOrigins((0.1, 3.0), seed=5).factor(1)
    assert {CloudOrigins((0.1, 3.0)).factor(cloud) for cloud in range(0, 20, 2)} == {1.0}
    assert {CloudOrigins().factor(cloud) for cloud in range(20)} == {1.0}


def test_half_of_the_clouds_are_the_teachers_own_and_the_others_are_shared_out_evenly():
    for scales, students in (((0.5, 2.0), 3), (None, 4), ((0.5, 2.0), 0)):
        origins = CloudOrigins(scales, students)
        made = [(origins.maker(cloud), origins.factor(cloud) != 1) for cloud in range(24)]
        assert all(origins.is_own(cloud) == (cloud % 2 == 0) for cloud in range(24))
        counts = {origin: made[1::2].count(origin) for origin in set(made[1::2])}
        kinds = [*([] if scales is None else [(0, True)]), *((number, False) for number in range(1, students + 1))]
        assert counts == dict.fromkeys(kinds, 12 // len(kinds))
    assert all(CloudOrigins().is_own(cloud) and CloudOrigins().maker(cloud) == 0 for cloud in range(4))


def test_bounds_must_be_bounds():
    for bounds in ((0.0, 1.0), (2.0, 1.0), (1.0,)):
        with pytest.raises(ValueError, match='clouds.scales must be the least and the greatest factor, both positive'):
            CloudOrigins(bounds)


def test_scaled_clouds_get_exact_images_of_the_unscaled_clouds_spec(small_config, teacher_checkpoint):
    options = {'model.teacher.checkpoint': teacher_checkpoint}
    plain = Path(PersistenceImageRunner.from_cfg(small_config('plain', **options)).run())
    scaled = Path(
        PersistenceImageRunner.from_cfg(small_config('scaled', **options, **{'clouds.scales': (0.1, 3.0)})).run()
    )
    before, after = np.load(plain / 'clouds.npy'), np.load(scaled / 'clouds.npy')
    factors = np.array([CloudOrigins((0.1, 3.0)).factor(cloud) for cloud in range(24)])
    assert np.allclose(after, before * factors[:, None, None], rtol=1e-6)
    manifest = json.loads((scaled / 'manifest.json').read_text())
    assert manifest['request']['scales'] == [0.1, 3.0]
    deaths = rips_h0(torch.from_numpy(before[::2]))
    assert manifest['spec']['im_range'] == pytest.approx([0, 0, deaths.min().item(), deaths.max().item()], rel=1e-5)
    imager = PersistenceImager((20, 20))
    imager.load_spec(manifest['spec'])
    assert np.allclose(
        np.load(scaled / 'images.npy'), imager.images_from_deaths(rips_h0(torch.from_numpy(after))), atol=1e-5
    )
    assert np.load(scaled / 'images.npy').max() == pytest.approx(1)
    assert Path(
        RipsNetRunner.from_cfg(small_config('scaled', **options, **{'clouds.scales': (0.1, 3.0)})).run()
    ).is_file()


def test_scales_of_another_request_or_of_clouds_without_scale_are_refused(small_config, teacher_checkpoint):
    options = {'model.teacher.checkpoint': teacher_checkpoint}
    PersistenceImageRunner.from_cfg(small_config(**options)).run()
    with pytest.raises(ValueError, match=r'scales None, asked for \[0.5, 2.0\]'):
        PersistenceImageRunner.from_cfg(small_config(**options, **{'clouds.scales': (0.5, 2.0)})).run()
    options['model.losses.topology.cloud.normalization'] = 'unit_norm'
    with pytest.raises(ValueError, match="no effect on clouds with normalization 'unit_norm'"):
        PersistenceImageRunner.from_cfg(small_config(**options, **{'clouds.scales': (0.5, 2.0)}))


def saved_student(config, path, scale):
    """Save a ResNet8 of its own seed whose features are scaled by that of its last normalization."""
    torch.manual_seed(1)
    model = MODELS.build(config.model)
    model.init_weights()
    state = {key: scale * value if '.layer3.' in key else value for key, value in model.state_dict().items()}
    torch.save(dict(state_dict=state), path)
    return str(path)


def test_students_clouds_are_those_that_a_teacher_of_the_same_weights_makes(
    small_config, teacher_checkpoint, digits_config, tmp_path
):
    baseline = digits_config('baselines/resnet8_digits.py')
    paths = [saved_student(baseline, tmp_path / f'{scale}.pth', scale) for scale in (1.0, 0.5)]
    made = {}
    for name, teacher in (('own', teacher_checkpoint), ('first', paths[0]), ('second', paths[1])):
        config = small_config(name, **{'model.teacher.checkpoint': teacher})
        made[name] = np.load(Path(PersistenceImageRunner.from_cfg(config).run()) / 'clouds.npy')
    options = {'model.teacher.checkpoint': teacher_checkpoint, 'clouds.students': paths}
    folder = Path(PersistenceImageRunner.from_cfg(small_config('mixed', **options)).run())
    mixed = np.load(folder / 'clouds.npy')
    assert np.array_equal(mixed[::2], made['own'][::2])
    assert np.array_equal(mixed[1::4], made['first'][1::4]) and np.array_equal(mixed[3::4], made['second'][3::4])
    assert not np.allclose(made['first'][1], made['second'][1])
    manifest = json.loads((folder / 'manifest.json').read_text())
    deaths = rips_h0(torch.from_numpy(made['own'][::2]))
    assert manifest['spec']['im_range'] == pytest.approx([0, 0, deaths.min().item(), deaths.max().item()], rel=1e-5)
    assert len(set(manifest['request']['students'])) == 2
    with pytest.raises(ValueError, match='was made for another config .students '):
        PersistenceImageRunner.from_cfg(small_config('mixed', **{**options, 'clouds.students': paths[::-1]})).run()
    assert Path(RipsNetRunner.from_cfg(small_config('mixed', **options)).run()).is_file()


def test_students_that_cannot_make_clouds(small_config, teacher_checkpoint, digits_config, tmp_path):
    student = saved_student(digits_config('baselines/resnet8_digits.py'), tmp_path / 'student.pth', 1.0)
    weights = torch.load(student)['state_dict']

    def run(folder, path, **options):
        options = {'model.teacher.checkpoint': teacher_checkpoint, 'clouds.students': [path], **options}
        return PersistenceImageRunner.from_cfg(small_config(folder, **options)).run()

    with pytest.raises(FileNotFoundError, match="checkpoint 'nowhere.pth' does not exist"):
        run('missing', 'nowhere.pth')
    cohort = str(tmp_path / 'epoch_1.pth')
    torch.save({f'members.kd.student.{key}': value for key, value in weights.items()}, cohort)
    with pytest.raises(ValueError, match='holds the members of a cohort: name the file .*student_kd_epoch_1.pth'):
        run('cohort', cohort)
    torch.save({'head.fc.weight': torch.zeros(2, 2)}, cohort)
    with pytest.raises(ValueError, match=r"clouds.students: checkpoint '.*epoch_1.pth' does not fit ImageClassifier"):
        run('other', cohort)
    torch.save({key: value * float('nan') if 'bn' in key else value for key, value in weights.items()}, cohort)
    with pytest.raises(ValueError, match='holds weights that are not finite'):
        run('broken', cohort)
    distillation = str(tmp_path / 'distillation.pth')
    torch.save({f'student.{key}': value for key, value in weights.items()}, distillation)
    assert np.array_equal(
        np.load(Path(run('plain', student)) / 'clouds.npy'), np.load(Path(run('whole', distillation)) / 'clouds.npy')
    )
    with pytest.raises(
        ValueError, match="the student '.*' makes points of width 32, the teacher's have 64, and a RipsNet"
    ):
        run('wide', student, **{'model.losses.topology.student_tap': 'backbone.layer2'})
    with pytest.raises(TypeError, match=r"clouds.students must be a list of checkpoints such as .*, got 'student.pth'"):
        run('word', student, **{'clouds.students': 'student.pth'})
