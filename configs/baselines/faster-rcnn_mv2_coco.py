_base_ = './faster-rcnn_r50_coco.py'

# The levels are those of mmdet's backbone: the last is the 1280-channel layer, without which it would get no gradient.
model = dict(
    backbone=dict(
        _delete_=True,
        type='MobileNetV2',
        out_indices=(1, 2, 4, 7),
        frozen_stages=1,
        norm_eval=True,  # As mmdet's ResNets: a GPU may see a single image.
        # mmpretrain's ImageNet weights under mmdet's names
        init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://mmdet/mobilenet_v2'),
    ),
    neck=dict(in_channels=[24, 32, 96, 1280]),
)
