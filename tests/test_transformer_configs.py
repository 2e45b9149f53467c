"""The recipes of configs/transformers: read, built with small networks, and stepped."""

from pathlib import Path

import pytest
import small
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, init_default_scope
from mmpretrain.structures import DataSample

CONFIGS = Path(__file__).resolve().parent.parent / 'configs' / 'transformers'
SMALL = dict(embed_dims=24, num_layers=4, num_heads=2, feedforward_channels=32)


def shrunk(name: str) -> Config:
    """Read a recipe and make its transformers small, its teachers random and its clouds of four points."""
    cfg = Config.fromfile(CONFIGS / name)
    init_default_scope(cfg.default_scope)
    student = cfg.model.get('student', cfg.model)
    if student.backbone.type == 'VisionTransformer':
        student.backbone.arch, student.head.in_channels = SMALL, 24
    if 'teacher' in cfg.model:
        teacher = cfg.model.teacher
        teacher.checkpoint = teacher.floor = None
        if 'deit-small' in teacher.name:
            teacher.cfg_options = {
                'model.backbone.arch': dict(SMALL, _delete_=True),
                'model.backbone.img_size': 64,
                'model.backbone.patch_size': 4,
                'model.head.in_channels': 24,
                'model.train_cfg': None,
            }
        if teacher.get('model', {}).get('type') == 'topkd.TimmClassifier':
            pytest.importorskip('timm', reason='timm is not installed')
            assert teacher.model.pop('pretrained') is True
            teacher.model.update(model_name='convnext_atto', num_classes=1000)
        if 'tokens' in name:  # layers of the small networks
            cfg.model.losses.topology.update(teacher_tap='backbone.layers.3:map', student_tap='backbone.layer2')
            cfg.model.losses.topology.cloud.grid = 8
        if cfg.model.losses.topology.cloud.type == 'BatchCloud':
            cfg.model.losses.topology.cloud.num_points = 4
    return cfg


@pytest.mark.parametrize('name', sorted(path.name for path in CONFIGS.glob('*.py')))
def test_recipe_steps(name):
    cfg = shrunk(name)
    torch.manual_seed(0)
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))
    model.init_weights()
    model.train()
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    before = {key: parameter.detach().clone() for key, parameter in model.named_parameters()}
    images = small.batch(4, size=32 if '_cifar100' in name else 64)
    if '_imagenet' in name:
        images['data_samples'] = [DataSample().set_gt_label(label) for label in images.pop('gt_label')]
    logs = model.train_step(images, wrapper)
    assert all(value.isfinite() for value in logs.values())
    moved = [key for key, parameter in model.named_parameters() if not torch.equal(parameter, before[key])]
    assert len(moved) > 0.7 * len(before)
    if 'teacher' in cfg.model:
        assert {'loss_kd', 'loss_topology'} <= set(logs)
    assert model.val_step(images)[0].pred_score.shape == ((100 if '_cifar100' in name else 1000),)


def test_recipes_are_what_their_names_say():
    deit, pair = (
        Config.fromfile(CONFIGS / name) for name in ('deit-tiny_cifar100.py', 'resnet56-deit-tiny_cifar100.py')
    )
    assert pair.model.student == deit.model and pair.model.teacher.name == 'resnet56_cifar100'
    assert pair.optim_wrapper == deit.optim_wrapper and pair.train_dataloader == deit.train_dataloader
    assert pair.train_dataloader.batch_size % pair.model.losses.topology.cloud.num_points == 0
    decayed = [key for key in MODELS.build(deit.model).state_dict() if key.endswith(('cls_token', 'pos_embed'))]
    assert len(decayed) == 2 and deit.optim_wrapper.paramwise_cfg.custom_keys.keys() == {'.cls_token', '.pos_embed'}
    cnn = Config.fromfile(CONFIGS / 'deit-small-resnet18_imagenet.py')
    assert cnn.model.student == Config.fromfile(CONFIGS.parent / 'baselines' / 'resnet18_imagenet.py').model
    timm = Config.fromfile(CONFIGS / 'convnext-tiny-resnet18_imagenet.py').model.teacher
    assert timm.model.data_preprocessor.mean == cnn.data_preprocessor.mean and 'checkpoint' not in timm


def test_every_patch_a_point():
    cfg = shrunk('deit-small-resnet18_imagenet_tokens.py')
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.data_preprocessor))
    seen = []
    model.losses.topology.cloud.register_forward_hook(lambda cloud, args, clouds: seen.append(clouds))
    data = dict(inputs=torch.rand(2, 3, 64, 64), data_samples=[DataSample().set_gt_label(3) for _ in range(2)])
    model(**data, mode='loss')
    assert {tuple(clouds.shape) for clouds in seen} == {(2, 64, 24)} and len(seen) >= 2
