"""All losses between maps: their base configs, pairs of different families, and state that is saved and resumed."""

import copy
from pathlib import Path

import pytest
import torch
from map_losses import small_distiller, step
from mmengine.config import Config
from mmengine.registry import MODELS
from small import batch

import topkd.models.losses.at_loss
import topkd.models.losses.catkd_loss
import topkd.models.losses.fitnet_loss
import topkd.models.losses.fsp_loss
import topkd.models.losses.ft_loss
import topkd.models.losses.nst_loss
import topkd.models.losses.ofd_loss
import topkd.models.losses.simkd_loss
import topkd.models.losses.srrl_loss
import topkd.models.losses.vid_loss  # noqa: F401
from topkd.models.backbones import NETWORKS
from topkd.models.taps.stage_taps import stage_taps

BASE = Path(__file__).resolve().parents[3] / 'configs' / '_base_' / 'losses'
WEIGHTS = dict(at=1000, nst=50, fsp=50, fitnet=100, vid=1, ft=200, ofd=0.001, srrl=1, catkd=0.7, simkd=1)
LEARNS = ('fitnet', 'vid', 'ft', 'ofd', 'srrl')


def losses_of(method):
    return {method: Config.fromfile(BASE / f'{method}.py')[method].to_dict()}


@pytest.mark.parametrize('method', WEIGHTS)
def test_base_config(method):
    (name, config), *others = losses_of(method).items()
    assert name == method and not others and config['loss_weight'] == WEIGHTS[method]
    if method == 'simkd':  # whose student has parts of its own, see test_simkd_loss.py
        config['student_tap'] = 'backbone[0]'
    width = 8 if method in ('fsp', 'simkd') else 4
    model = small_distiller(config, student_width=width)
    assert step(model)['loss_method'].isfinite()
    assert bool(list(model.losses.parameters())) == (method in LEARNS)


@pytest.mark.parametrize('method', LEARNS)
def test_what_a_loss_learned_is_saved(method):
    (config,) = losses_of(method).values()
    model = small_distiller(config)
    step(model)
    twin = small_distiller(config)
    state = model.state_dict()
    assert any(key.startswith('losses.method.') for key in state)
    twin.load_state_dict(state, strict=True)
    data = model.data_preprocessor(batch(), training=True)
    values = [network.eval()(**data, mode='loss')['loss_method'] for network in (model, twin)]
    assert torch.equal(*values)


def network(name, width):
    return dict(
        type='mmpretrain.ImageClassifier',
        backbone=copy.deepcopy(NETWORKS[name]),
        neck=dict(type='mmpretrain.GlobalAveragePooling'),
        head=dict(type='mmpretrain.LinearClsHead', num_classes=10, in_channels=width),
        data_preprocessor=dict(type='topkd.ImageBatchPreprocessor', mean=[127.5] * 3, std=[127.5] * 3),
    )


@pytest.mark.parametrize(
    'teacher, student',
    [
        (('resnet8x4', 256), ('shufflenetv2', 1024)),
        (('wrn16_2', 128), ('shufflenetv1', 960)),
        (('vgg8', 512), ('mobilenetv2', 1280)),
    ],
)
def test_pairs_of_different_families(teacher, student):
    """Every method that allows it takes its taps from the networks' tables; the probe has twice the images' size."""
    ours, theirs = stage_taps(NETWORKS[student[0]]), stage_taps(NETWORKS[teacher[0]])
    taps = dict(
        at=('maps', None),
        nst=('maps', None),
        vid=('maps', None),
        fitnet=('maps', 1),
        ft=('maps', -1),
        ofd=('pre_activation', None),
        srrl=('pooled', None),
        catkd=(None, None),
    )
    losses = {}
    for method, (field, index) in taps.items():
        (losses[method],) = losses_of(method).values()
        if field is not None:
            both = (getattr(ours, field), getattr(theirs, field))
            both = both if index is None else [levels[index] for levels in both]
            losses[method].update(student_tap=both[0], teacher_tap=both[1])
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='topkd.Distiller',
            student=network(*student),
            teacher=dict(name='other', model=network(*teacher), checkpoint=None),
            losses=losses,
            probe_shape=(3, 64, 64),
        )
    )
    data = model.data_preprocessor(batch(4, 32), training=True)
    log = model.train()(**data, mode='loss')
    sum(value for key, value in log.items() if key.startswith('loss')).backward()
    assert all(log[f'gradient_ratio_{method}'] > 0 for method in losses if method != 'ft')
    assert all(value.grad is not None and value.grad.isfinite().all() for value in model.student.backbone.parameters())
    for method in LEARNS:
        learned = [value for value in model.losses[method].parameters() if value.requires_grad]
        assert learned and all(value.grad is not None for value in learned), method
