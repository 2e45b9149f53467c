# mmdet's RetinaNet with a ResNet18 of half the width: the one-stage teacher of the embedded detection job.
_base_ = [
    'mmdet::_base_/models/retinanet_r50_fpn.py',
    '../_base_/datasets/digit_scenes.py',
    '../_base_/schedules/digit_scenes.py',
]

model = dict(
    backbone=dict(depth=18, base_channels=32, frozen_stages=-1, norm_eval=False, init_cfg=None),
    neck=dict(in_channels=[32, 64, 128, 256], out_channels=64),
    # digits have 12 to 48 pixels: anchors begin at half of COCO's size, and two layers see enough
    bbox_head=dict(
        num_classes=10, in_channels=64, feat_channels=64, stacked_convs=2, anchor_generator=dict(octave_base_scale=2)
    ),
)

# twice the passes of the two-stage detectors: after 4 a focal loss from random weights still falls, and AP is 0.10
param_scheduler = [
    dict(type='LinearLR', start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(type='CosineAnnealingLR', eta_min=1e-6, by_epoch=False, begin=100, end=800),
]
train_cfg = dict(max_epochs=8, val_interval=8)
