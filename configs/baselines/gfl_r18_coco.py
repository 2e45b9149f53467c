# mmdet's 1x schedule with a total batch of 8, as the pairs of Faster R-CNN have.
_base_ = ['mmdet::gfl/gfl_r50_fpn_1x_coco.py', '../_base_/schedules/total_batch_8.py']

model = dict(
    backbone=dict(depth=18, init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet18')),
    neck=dict(in_channels=[64, 128, 256, 512]),
)
train_dataloader = dict(
    batch_size=_base_.batch_size, batch_sampler=dict(type='AspectRatioBatchSampler', drop_last=True)
)  # A cloud needs a full batch.
optim_wrapper = dict(optimizer=dict(lr=0.005))  # mmdet's 0.01 is for 16 images.
auto_scale_lr = dict(base_batch_size=_base_.total_batch)

default_hooks = dict(checkpoint=dict(max_keep_ckpts=2, save_best='coco/bbox_mAP', rule='greater'))
custom_hooks = [dict(type='topkd.CategoryCheckHook'), dict(type='topkd.ResultHook', monitor='coco/bbox_mAP')]
randomness = dict(seed=0)
