"""mmdet's Faster R-CNN at a size that steps in milliseconds, and batches for it."""

import copy
from collections.abc import Sequence

import torch

import topkd  # noqa: F401  isort:skip  (a spawned process needs its mmcv ops before mmdet)
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from mmengine.hub import get_config
from mmengine.registry import MODELS, init_default_scope
from mmengine.structures import InstanceData

CAFFE = dict(mean=[103.53, 116.28, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False)


def detector(base: int = 8, width: int = 16, classes: int = 3, **preprocessor) -> dict:
    """Return the config of a Faster R-CNN with a narrow ResNet18."""
    model = get_config('mmdet::_base_/models/faster-rcnn_r50_fpn.py').model.to_dict()
    model['data_preprocessor'].update(preprocessor)
    model['backbone'].update(depth=18, base_channels=base, init_cfg=None)
    model['neck'].update(in_channels=[base, 2 * base, 4 * base, 8 * base], out_channels=width)
    model['rpn_head'].update(in_channels=width, feat_channels=width)
    head = model['roi_head']
    head['bbox_roi_extractor']['out_channels'] = width
    head['bbox_head'].update(in_channels=width, fc_out_channels=32, num_classes=classes)
    model['train_cfg']['rpn_proposal'].update(nms_pre=100, max_per_img=50)
    model['train_cfg']['rcnn']['sampler']['num'] = 16
    model['test_cfg']['rpn'].update(nms_pre=100, max_per_img=50)
    model['test_cfg']['rcnn']['score_thr'] = 0.0
    return dict(model, _scope_='mmdet')


ONE_STAGE = dict(
    retinanet='mmdet::_base_/models/retinanet_r50_fpn.py',
    gfl='mmdet::gfl/gfl_r50_fpn_1x_coco.py',
    atss='mmdet::atss/atss_r50_fpn_1x_coco.py',
    fcos='mmdet::fcos/fcos_r50-caffe_fpn_gn-head_1x_coco.py',
    yolox='mmdet::yolox/yolox_s_8xb8-300e_coco.py',
)


def one_stage(kind: str, width: int = 16, classes: int = 3) -> dict:
    """Return the config of a one-stage detector with a narrow backbone and a pyramid of ``width`` channels."""
    model = get_config(ONE_STAGE[kind]).model.to_dict()
    head = model['bbox_head']
    head.update(num_classes=classes, in_channels=width, feat_channels=width, stacked_convs=1)
    if kind in ('gfl', 'atss', 'fcos'):
        head['norm_cfg'] = dict(type='GN', num_groups=4)
    if kind == 'yolox':
        model['data_preprocessor'].pop('batch_augments')
        model['backbone'].update(deepen_factor=0.33, widen_factor=width / 256)
        model['neck'].update(in_channels=[width, 2 * width, 4 * width], out_channels=width)
    else:
        base = width // 2
        model['backbone'].update(depth=18, base_channels=base, init_cfg=None)
        model['neck'].update(in_channels=[base, 2 * base, 4 * base, 8 * base], out_channels=width)
    return dict(model, _scope_='mmdet')


def distiller(student: dict | None = None, teacher: dict | None = None, num_points: int = 4, **losses) -> dict:
    """Return the config of a distiller with both losses; keywords change or drop one."""
    taps = [f'neck[{level}]' for level in range(4)]
    logits = 'roi_head.bbox_head.fc_cls'
    config = dict(
        kd=dict(type='KDLoss', tau=2.0, loss_weight=1.2, student_tap=logits, teacher_tap=logits),
        topology=dict(
            type='TopologyLoss',
            loss_weight=1.0,
            student_tap=taps,
            cloud=dict(type='BatchCloud', num_points=num_points, gather=True, ignore_padding=True),
            vectorizer=dict(type='RipsImage', fit_batches=2),
        ),
    )
    for name, changes in losses.items():
        config[name] = None if changes is None else dict(config[name], **changes)
    return dict(
        type='topkd.Distiller',
        student=student or detector(),
        teacher=dict(name='tiny', model=teacher or detector(base=12), checkpoint=None),
        losses=config,
    )


def build(config: dict, seed: int = 0):
    """Build a model with random weights that follow from the seed."""
    init_default_scope('mmdet')
    torch.manual_seed(seed)
    model = MODELS.build(ConfigDict(copy.deepcopy(config)))
    model.init_weights()
    return model


def batch(
    boxes: Sequence[list] = ([[10, 12, 40, 50]], [[5, 5, 60, 30], [20, 20, 50, 60]], [], [[0, 0, 30, 30]]),
    crowds: Sequence[list] = ((), (), (), ()),
    sizes: list[tuple] | None = None,
    seed: int = 0,
) -> dict:
    """Return images and annotations as mmdet's data loader hands them over."""
    generator = torch.Generator().manual_seed(seed)
    sizes = sizes or [(64, 64)] * len(boxes)
    images, samples = [], []
    for index, size in enumerate(sizes):
        images.append(torch.randint(0, 256, (3, *size), generator=generator, dtype=torch.uint8))
        sample = DetDataSample(metainfo=dict(img_shape=size, ori_shape=size, scale_factor=(1.0, 1.0), img_id=index))
        objects = torch.tensor(boxes[index], dtype=torch.float32).reshape(-1, 4)
        sample.gt_instances = InstanceData(bboxes=objects, labels=torch.arange(len(objects)) % 3)
        ignored = torch.tensor(crowds[index] if len(crowds) > index else [], dtype=torch.float32).reshape(-1, 4)
        sample.ignored_instances = InstanceData(bboxes=ignored, labels=torch.zeros(len(ignored), dtype=torch.long))
        samples.append(sample)
    return dict(inputs=images, data_samples=samples)


def step(model, data: dict, seed: int = 3) -> dict:
    """Compute the losses of a batch; the seed decides which RoIs are sampled."""
    prepared = model.data_preprocessor(copy.deepcopy(data), True)
    torch.manual_seed(seed)
    return model(**prepared, mode='loss')


def logs_of_a_step(config: dict) -> dict:
    """Build a network from random weights, take a step of three images, and check that it trains every parameter."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(config)
    model.init_weights()
    losses = step(model.train(), batch(boxes=[[[10, 12, 40, 50]], [], [[5, 5, 60, 60]]]))
    loss, logs = model.parse_losses(losses)
    loss.backward()
    assert all(value.isfinite() for value in logs.values())
    assert [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None] == []
    return logs
