"""What is left when the training is over: mmdet's own detector."""

import numpy as np
import pytest
import torch
from mmdet.apis import inference_detector, init_detector
from mmengine.config import Config
from tiny_detectors import build, detector, distiller

from topkd.utils.student_export import export_student


@pytest.fixture
def exported(tmp_path):
    model = build(distiller(student=detector(width=8)), seed=4)
    meta = dict(epoch=1, iter=2, dataset_meta=dict(classes=('a', 'b', 'c')))
    torch.save(dict(meta=meta, state_dict=model.state_dict()), tmp_path / 'distilled.pth')
    # a plain config, as mmdet's users write it: no topkd anywhere
    test_pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='Resize', scale=(64, 64), keep_ratio=True),
        dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
    ]
    plain = Config(
        dict(
            model=detector(width=8),
            default_scope='mmdet',
            test_dataloader=dict(dataset=dict(type='CocoDataset', pipeline=test_pipeline)),
        )
    )
    out = str(tmp_path / 'student.pth')
    difference = export_student(
        Config(dict(model=distiller(student=detector(width=8)))), str(tmp_path / 'distilled.pth'), out, target=plain
    )
    assert difference == 0
    return model, plain, out


def test_exported_student_loads_strictly_and_predicts_the_same(exported):
    model, plain, out = exported
    content = torch.load(out, weights_only=True)
    fresh = build(detector(width=8), seed=9)
    fresh.load_state_dict(content['state_dict'], strict=True)
    loaded = init_detector(plain, out, device='cpu')
    assert loaded.dataset_meta['classes'] == ('a', 'b', 'c')
    image = np.random.default_rng(0).integers(0, 256, (48, 60, 3), dtype=np.uint8)
    found = inference_detector(loaded, image).pred_instances
    model.student.eval().cfg = plain
    expected = inference_detector(model.student, image).pred_instances
    assert len(found) == len(expected) > 0
    for key in ('bboxes', 'scores', 'labels'):
        assert torch.equal(found[key], expected[key])
