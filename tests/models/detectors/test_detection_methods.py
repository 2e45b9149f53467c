"""The methods of configs/_base_/losses/*_detection.py step tiny detectors; DKD reads the labels of the student's RoIs."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from tiny_detectors import batch, build, detector, distiller

from topkd.functional.dkd import decoupled_divergences
from topkd.models.taps.tap import tap

CONFIGS = Path(__file__).resolve().parents[3] / 'configs'
METHODS = ('fgfi', 'fitnet', 'dkd', 'reviewkd', 'mgd', 'cwd', 'pkd')
PAIRS = sorted(path.stem for path in (CONFIGS / '_base_' / 'pairs').glob('faster-rcnn_*.py'))


def method(name: str, pair: str = '') -> dict:
    content = Config.fromfile(CONFIGS / '_base_' / 'losses' / f'{name}_detection.py')
    return content.get(f'{name}_of', {}).get(pair, content[name]).to_dict()


def distilled(name: str, **changes):
    """Build a tiny pair of different widths with one method."""
    config = distiller(student=detector(width=16), teacher=detector(base=12, width=24))
    config['losses'] = {name: dict(method(name), **changes)}
    return build(config).train()


def losses_of(model) -> dict:
    torch.manual_seed(3)
    data = model.data_preprocessor(batch(), True)
    return model(data['inputs'], data['data_samples'], mode='loss')


@pytest.mark.parametrize('name', METHODS)
def test_a_step(name):
    model = distilled(name)
    logs = losses_of(model)
    value = logs[f'loss_{name}']
    assert value.isfinite() and value > 0
    value.backward()
    pulled = [parameter.grad for parameter in model.student.backbone.parameters() if parameter.grad is not None]
    assert sum(gradient.abs().sum() for gradient in pulled) > 0
    learned = list(model.losses.parameters())
    assert all(parameter.grad is not None for parameter in learned)


def test_dkd_compares_the_scores_of_the_students_rois_with_their_labels():
    model = distilled('dkd')
    shown = {}
    head = model.student.roi_head.bbox_head
    handle = head.loss_cls.register_forward_pre_hook(lambda module, args: shown.update(scores=args[0], labels=args[1]))
    logs = losses_of(model)
    handle.remove()
    with tap(model.student, ['roi_head.bbox_roi_extractor(1)']) as rois:
        torch.manual_seed(3)
        data = model.data_preprocessor(batch(), True)
        model.student(data['inputs'], data['data_samples'], mode='loss')
    teacher = model.teacher.module
    with torch.no_grad():
        pyramid = teacher.extract_feat(data['inputs'])
        scores = teacher.roi_head._bbox_forward(pyramid, rois['roi_head.bbox_roi_extractor(1)'])['cls_score']
    target, rest = decoupled_divergences(shown['scores'], scores, shown['labels'], 1.0)
    assert logs['loss_dkd'].item() == pytest.approx((target + 0.25 * rest).item(), rel=1e-4)
    assert shown['labels'].max() == 3  # the background


@pytest.mark.parametrize('pair', PAIRS)
def test_every_config_is_one_method_on_a_pair(pair):
    for name in METHODS:
        path = CONFIGS / 'methods' / f'{name}_{pair}.py'
        cfg = Config.fromfile(path)
        assert list(cfg.model.losses) == [name] and cfg.model.losses[name].to_dict() == method(name, pair)
        assert cfg.model.type == 'topkd.Distiller' and len(path.read_text().splitlines()) == 3
    assert copy.deepcopy(cfg.custom_hooks[-1]) == dict(type='topkd.ResultHook', monitor='coco/bbox_mAP')


def test_published_constants_of_detectors():
    weights = {
        pair: method('reviewkd', f'faster-rcnn_{pair}_coco')['loss_weight']
        for pair in ('r101-r18', 'r101-r50', 'r50-mv2')
    }
    assert weights == {'r101-r18': 1.2, 'r101-r50': 1.0, 'r50-mv2': 2.0}
    dkd, mgd = method('dkd'), method('mgd')
    assert (dkd['alpha'], dkd['beta'], dkd['tau']) == (1.0, 0.25, 1.0)
    assert (mgd['loss_weight'], mgd['mask_ratio'], len(mgd['student_tap'])) == (5e-7, 0.45, 4)
