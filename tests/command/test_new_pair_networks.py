"""topkd new-pair for transformers, timm and modules by import path: taps, input size and weights are those of the networks."""

import sys

import pytest
import small
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope

from topkd.command.new_pair import new_pair
from topkd.utils.config import read_config, with_preprocessor

STUDENT = 'topkd::baselines/resnet8_digits.py'
VIT = (
    "_base_ = ['topkd::baselines/resnet8_digits.py']\n"
    "model = dict(_delete_=True, type='ImageClassifier', backbone=dict(type='VisionTransformer', img_size=16, patch_size=4,\n"
    '    arch=dict(embed_dims=16, num_layers=4, num_heads=2, feedforward_channels=32)), neck=None,\n'
    "    head=dict(type='VisionTransformerClsHead', num_classes=10, in_channels=16))\n"
)
TIMM = (
    "_base_ = ['topkd::baselines/resnet8_digits.py']\n"
    "model = dict(_delete_=True, type='topkd.TimmClassifier', model_name='vit_tiny_patch16_224', img_size=32, patch_size=8,\n"
    '    depth=2, embed_dim=24, num_heads=2, num_classes=10, pretrained=True)\n'
)
MODULE = (
    "_base_ = ['topkd::baselines/resnet8_digits.py']\n"
    "model = dict(_delete_=True, type='topkd.ModuleClassifier', module='torchvision.models.resnet18', num_classes=10)\n"
)


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Write three networks' configs and return a function that makes a pair and reads its config."""
    monkeypatch.chdir(tmp_path)
    for name, text in dict(vit=VIT, of_timm=TIMM, module=MODULE).items():
        (tmp_path / f'{name}.py').write_text(text)

    def call(*arguments: str) -> tuple:
        monkeypatch.setattr(sys, 'argv', ['topkd new-pair', *arguments, '--out', 'pair.py', '--force'])
        code = 0
        try:
            new_pair()
        except SystemExit as end:
            code = end.code or 0
        out, err = capsys.readouterr()
        assert code == 0, err
        return read_config('pair.py'), out

    return call


def step(cfg):
    """Train a pair on one batch with a random teacher, and return what it logs."""
    init_default_scope(cfg.default_scope)
    cfg.model.teacher.checkpoint = None
    model = MODELS.build(with_preprocessor(cfg.model, cfg))
    return model.train_step(small.batch(64), build_optim_wrapper(model, cfg.optim_wrapper))


def test_transformer_student_of_a_cnn(run):
    cfg, out = run('vit.py', STUDENT)
    topology = cfg.model.losses.topology
    assert (topology.student_tap, topology.teacher_tap) == ('head.layers.head(0)', 'neck[0]')
    assert cfg.model.losses.kd.student_tap == 'head.layers.head' and 'input_size' not in cfg.model.teacher
    assert "loss 'kd' compares head.layers.head of the student with head.fc of the teacher" in out
    assert step(cfg)['loss_topology'].isfinite()


def test_cnn_student_of_a_transformer_by_a_map_loss(run):
    cfg, _ = run(STUDENT, 'vit.py', '--loss', 'sp')
    assert cfg.model.losses.sp.student_tap == '@last_map' and cfg.model.teacher.input_size == (16, 16)
    assert step(cfg)['loss_sp'] > 0


def test_teacher_of_timm_brings_its_weights(run):
    pytest.importorskip('timm', reason='timm is not installed')
    cfg, out = run(STUDENT, 'of_timm.py')
    assert 'checkpoint' not in cfg.model.teacher and cfg.model.teacher.input_size == (32, 32)
    assert cfg.model.losses.topology.teacher_tap == 'model.head(0)'
    assert 'put the weights' not in out and out.rstrip().endswith('topkd train pair.py')


def test_module_by_import_path(run):
    cfg, out = run('module.py', STUDENT, '--loss', 'rkd')
    assert cfg.model.losses.rkd.student_tap == 'model.fc(0)' and cfg.model.losses.rkd.teacher_tap == 'neck[0]'
    assert 'put the weights of the teacher at checkpoints/resnet8_digits.pth' in out
    assert step(cfg)['loss_rkd'] > 0
