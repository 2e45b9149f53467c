"""topkd new-pair: the config that it writes is one that trains, or it is not written."""

import json
import sys
from pathlib import Path

import pytest
import small
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope

from topkd.command.new_pair import new_pair
from topkd.utils.config import read_config

STUDENT = 'topkd::baselines/resnet8_digits.py'
TEACHER = 'topkd::baselines/resnet20_digits.py'
WRITTEN = 'resnet20_digits-resnet8_digits.py'
FINDINGS = Path(__file__).parents[2] / 'studies/topology/findings.json'


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple:
        monkeypatch.setattr(sys, 'argv', ['topkd new-pair', *map(str, arguments)])
        code = 0
        try:
            new_pair()
        except SystemExit as end:
            code = end.code or 0
        return (code, *capsys.readouterr())

    return call


def test_pair_with_exact_images(run, tmp_path):
    code, out, err = run(STUDENT, TEACHER, '--loss', 'exact', '--batch-size', '32')
    assert code == 0, err
    cfg = read_config(str(tmp_path / WRITTEN))
    assert cfg.model.type == 'topkd.Distiller' and cfg.model.student == read_config(STUDENT).model
    assert cfg.model.teacher == dict(
        name='resnet20_digits', config=TEACHER, checkpoint='checkpoints/resnet20_digits.pth'
    )
    assert cfg.model.losses.topology.vectorizer.type == 'RipsImage'
    assert cfg.model.losses.topology.cloud.num_points == cfg.train_dataloader.batch_size == 32
    assert cfg.train_dataloader.drop_last
    assert "loss 'topology' compares neck[0] of the student with neck[0] of the teacher" in out
    assert 'put the weights of the teacher at checkpoints/resnet20_digits.pth' in out
    assert f'topkd train {WRITTEN}' in out


def test_pair_has_rtd_lite_unless_told_otherwise(run, tmp_path):
    assert run(STUDENT, TEACHER)[0] == 0
    assert read_config(str(tmp_path / WRITTEN)).model.losses.topology.distance == 'rtd_lite'


@pytest.mark.parametrize('loss', ['at', 'rtd_lite', 'signature'])
def test_written_pair_trains(run, tmp_path, loss):
    run(STUDENT, TEACHER, '--loss', loss, '--batch-size', '8')
    cfg = read_config(str(tmp_path / WRITTEN))
    init_default_scope(cfg.default_scope)
    cfg.model.teacher.checkpoint = None
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))
    logs = model.train_step(small.batch(size=8), build_optim_wrapper(model, cfg.optim_wrapper))
    assert logs['loss_at' if loss == 'at' else 'loss_topology'] > 0 and logs['loss'] > 0


def test_weights_of_distances_are_those_that_the_study_chose(run, tmp_path):
    chosen = {row['term']: row['weight'] for row in json.loads(FINDINGS.read_text())['screening']}
    for name in ('sorted_deaths', 'sliced_wasserstein', 'signature', 'rtd_lite'):
        run(STUDENT, TEACHER, '--loss', name, '--force')
        topology = read_config(str(tmp_path / WRITTEN)).model.losses.topology
        assert (topology.distance, topology.loss_weight) == (name, pytest.approx(chosen[name]))


@pytest.mark.parametrize('loss, times', [('rtd_lite', 4), ('sorted_deaths', 1)])
def test_weight_of_a_sum_over_points_follows_the_batch(run, tmp_path, loss, times):
    weights = []
    for size in (64, 16):
        run(STUDENT, TEACHER, '--loss', loss, '--batch-size', size, '--force')
        weights.append(read_config(str(tmp_path / WRITTEN)).model.losses.topology.loss_weight)
    assert weights[1] == pytest.approx(times * weights[0])


def test_ripsnet_needs_two_more_commands(run):
    code, out, _ = run(STUDENT, TEACHER, '--loss', 'topkd', '--out', 'own/pair.py')
    assert code == 0
    assert out.splitlines()[-3:] == [
        'topkd gen-pi own/pair.py',
        'topkd train-ripsnet own/pair.py',
        'topkd train own/pair.py',
    ]


def test_student_by_path_is_found_from_the_new_file(run, tmp_path):
    (tmp_path / 'mine.py').write_text(f"_base_ = ['{STUDENT}']\n")
    code, _, err = run('mine.py', TEACHER, '--out', 'deep/er/pair.py', '--loss', 'kd')
    assert code == 0, err
    assert Config.fromfile(tmp_path / 'deep/er/pair.py')._cfg_dict.model.losses.keys() == {'kd'}


def test_data_reach_every_data_set(run, tmp_path):
    student = "_base_ = ['topkd::baselines/resnet8_digits.py']\n"
    sets = "dict(dataset=dict(_delete_=True, type='RepeatDataset', times=2, dataset=dict(type='A', data_root='old')))"
    (tmp_path / 'mine.py').write_text(f'{student}train_dataloader = {sets}\n')
    code, _, err = run('mine.py', TEACHER, '--data', '/new', '--loss', 'kd', '--out', 'pair.py')
    assert code == 0, err
    assert Config.fromfile(tmp_path / 'pair.py').train_dataloader.dataset.dataset.data_root == '/new'


def test_networks_that_cannot_be_compared_leave_no_file(run, tmp_path):
    code, _, err = run(STUDENT, 'topkd::baselines/resnet56_cifar100.py', '--loss', 'kd')
    assert code == 1 and '10' in err and '100' in err
    assert not list(tmp_path.glob('*.py'))


def test_existing_file_stays(run, tmp_path):
    (tmp_path / WRITTEN).write_text('mine')
    code, _, err = run(STUDENT, TEACHER)
    assert code == 1 and f"'{WRITTEN}' exists: name another file by --out, or write over it with --force" in err
    assert (tmp_path / WRITTEN).read_text() == 'mine'
    assert run(STUDENT, TEACHER, '--force', '--loss', 'kd')[0] == 0


def test_pair_that_does_not_work_replaces_no_file(run, tmp_path):
    (tmp_path / 'pair.py').write_text('mine')
    code, _, _ = run(STUDENT, 'topkd::baselines/resnet56_cifar100.py', '--loss', 'kd', '--force', '--out', 'pair.py')
    assert code == 1
    assert [path.name for path in tmp_path.glob('*.py')] == ['pair.py'] and (tmp_path / 'pair.py').read_text() == 'mine'


@pytest.mark.parametrize(
    'arguments, message',
    [
        ((STUDENT, TEACHER, '--loss', 'nothing'), "there is no loss 'nothing': name one of topkd, exact, "),
        (('missing.py', TEACHER), "config 'missing.py' does not exist"),
        ((STUDENT, 'missing.py'), "config 'missing.py' does not exist"),
    ],
)
def test_wrong_arguments(run, tmp_path, arguments, message):
    code, _, err = run(*arguments)
    assert code == 1 and message in err
    assert not list(tmp_path.glob('*.py'))


VIT = """
_base_ = '{base}'
model = dict(
    _delete_=True,
    type='mmpretrain.ImageClassifier',
    backbone=dict(type='mmpretrain.VisionTransformer', arch='deit-tiny', img_size=16, patch_size=8),
    head=dict(type='mmpretrain.VisionTransformerClsHead', num_classes=10, in_channels=192),
)
"""


@pytest.mark.parametrize('loss', ['exact', 'kd'])
@pytest.mark.parametrize('transformer', ['student', 'teacher'])
def test_networks_whose_classifiers_have_other_names(run, tmp_path, loss, transformer):
    (tmp_path / 'vit.py').write_text(VIT.format(base=STUDENT))
    names = ('vit.py', TEACHER) if transformer == 'student' else (STUDENT, 'vit.py')
    code, out, err = run(*names, '--loss', loss, '--out', 'pair.py')
    assert code == 0, err
    student, teacher = ('head.layers.head', 'head.fc')[:: 1 if transformer == 'student' else -1]
    assert f"loss 'kd' compares {student} of the student with {teacher} of the teacher" in out
    if loss == 'exact':
        points = ('head.layers.head(0)', 'neck[0]')[:: 1 if transformer == 'student' else -1]
        assert "loss 'topology' compares {} of the student with {} of the teacher".format(*points) in out


def test_a_ripsnet_is_filed_under_the_path_of_its_tap(run, tmp_path):
    assert run(STUDENT, TEACHER, '--loss', 'topkd')[0] == 0
    assert read_config(str(tmp_path / WRITTEN)).model.losses.topology.teacher_tap == 'neck[0]'


@pytest.mark.parametrize(
    'arguments, message',
    [
        (
            (STUDENT, TEACHER, '--out', 'pair.txt'),
            "expected the name of a .py file, as configs are read from, got 'pair.tx",
        ),
        (
            (STUDENT, TEACHER, '--loss', 'cwd_dense'),
            "the loss 'cwd_dense' is of detectors, these are classifiers: name exa",
        ),
        ((STUDENT, TEACHER, '--data', 'nowhere'), '--data has no effect, as no data set of'),
        (
            (STUDENT, 'topkd::kd/resnet20-resnet8_digits.py'),
            "is no plain network's config, got topkd.Distiller: name the",
        ),
        (
            ('topkd::cohorts/resnet20-resnet8_digits.py', TEACHER),
            "is no plain network's config, got topkd.Cohort: name",
        ),
        (
            (STUDENT, 'topkd::baselines/faster-rcnn_r18w16_digit-scenes.py'),
            'must be two classifiers or two detectors, got a classifier (topkd::baselines/resnet8_digits.py) and a detec',
        ),
    ],
)
def test_what_is_no_pair(run, tmp_path, arguments, message):
    code, _, err = run(*arguments)
    assert code in (1, 2) and message in err
    assert list(tmp_path.iterdir()) == []


def test_a_pair_is_not_written_over_its_student(run, tmp_path):
    (tmp_path / 'mine.py').write_text(f"_base_ = ['{STUDENT}']\n")
    code, _, err = run('mine.py', TEACHER, '--out', 'mine.py', '--force')
    assert (
        code == 1 and "'mine.py' is read by this command, which would write over it: name another file to write" in err
    )
    assert (tmp_path / 'mine.py').read_text() == f"_base_ = ['{STUDENT}']\n"
