# mmdet's 1x schedule with the paper's total batch of 8.
_base_ = ['mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py', '../_base_/schedules/total_batch_8.py']

train_dataloader = dict(
    batch_size=_base_.batch_size, batch_sampler=dict(type='AspectRatioBatchSampler', drop_last=True)
)  # A cloud needs a full batch.
optim_wrapper = dict(optimizer=dict(lr=0.01))  # mmdet's 0.02 is for 16 images.
auto_scale_lr = dict(
    base_batch_size=_base_.total_batch
)  # For --auto-scale-lr with another train_dataloader.batch_size.

default_hooks = dict(checkpoint=dict(max_keep_ckpts=2, save_best='coco/bbox_mAP', rule='greater'))
custom_hooks = [dict(type='topkd.CategoryCheckHook'), dict(type='topkd.ResultHook', monitor='coco/bbox_mAP')]
randomness = dict(seed=0)
