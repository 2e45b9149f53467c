# A quarter of ResNet18's width, half the pyramid's: the one-stage student of the embedded detection job.
_base_ = './retinanet_r18w32_digit-scenes.py'

model = dict(
    backbone=dict(base_channels=16),
    neck=dict(in_channels=[16, 32, 64, 128], out_channels=32),
    bbox_head=dict(in_channels=32, feat_channels=32),
)
