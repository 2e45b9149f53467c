"""mmdet's own Faster R-CNN, unmodified but for its size, trains and predicts on the stand-in ops."""

import torch
from mmdet.structures import DetDataSample
from mmengine.hub import get_config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData


def faster_rcnn():
    from mmdet.registry import MODELS

    init_default_scope('mmdet')
    cfg = get_config('mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py').model
    cfg.backbone.update(depth=18, init_cfg=None)
    cfg.neck.in_channels = [64, 128, 256, 512]
    cfg.roi_head.bbox_head.num_classes = 3
    # Random weights give every class about 1/4: keep some boxes for the second NMS.
    cfg.test_cfg.rcnn.update(score_thr=0.01, max_per_img=10)
    torch.manual_seed(0)
    return MODELS.build(cfg)


def batch(boxes_of_images):
    generator = torch.Generator().manual_seed(1)
    samples = []
    for boxes in boxes_of_images:
        sample = DetDataSample(
            metainfo=dict(
                img_shape=(128, 128),
                ori_shape=(128, 128),
                scale_factor=(1.0, 1.0),
                batch_input_shape=(128, 128),
                pad_shape=(128, 128),
            )
        )
        sample.gt_instances = InstanceData(
            bboxes=torch.tensor(boxes).reshape(-1, 4), labels=torch.arange(len(boxes)) % 3
        )
        sample.ignored_instances = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
        samples.append(sample)
    images = [torch.randint(0, 256, (3, 128, 128), generator=generator, dtype=torch.uint8) for _ in samples]
    return dict(inputs=images, data_samples=samples)


def test_loss_backward_and_predict_are_finite():
    model = faster_rcnn()
    data = batch([[[10.0, 12.0, 60.0, 70.0], [50.0, 40.0, 120.0, 100.0]], []])  # the second image has no object

    model.train()
    losses = model.forward(**model.data_preprocessor(data, True), mode='loss')
    loss, logs = model.parse_losses(losses)
    loss.backward()
    assert set(logs) == {'loss', 'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'acc', 'loss_bbox'}
    assert all(value.isfinite() for value in logs.values())
    gradients = {name: p.grad for name, p in model.named_parameters() if p.requires_grad}
    assert all(gradient.isfinite().all() for gradient in gradients.values())
    # Only RoIAlign's backward links these two: the first convolution after the pooling and, through it, the neck.
    assert gradients['roi_head.bbox_head.shared_fcs.0.weight'].abs().sum() > 0
    assert gradients['neck.fpn_convs.0.conv.weight'].abs().sum() > 0

    model.eval()
    predictions = model.test_step(data)
    for prediction in predictions:
        instances = prediction.pred_instances
        assert 0 < len(instances) <= 10
        assert instances.bboxes.isfinite().all() and instances.scores.isfinite().all()


def test_a_step_under_bfloat16_autocast_is_finite():
    model = faster_rcnn().train()
    data = model.data_preprocessor(batch([[[10.0, 12.0, 60.0, 70.0]]]), True)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss, _ = model.parse_losses(model.forward(**data, mode='loss'))
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.requires_grad)
