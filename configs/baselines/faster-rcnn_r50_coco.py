# mmdet's 1x schedule with the paper's total batch of 8, however many processes share it (1, 2, 4 or 8).
_base_ = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'

import os  # noqa: E402  isort:skip

total_batch = 8
processes = int(os.environ.get('WORLD_SIZE', os.environ.get('SLURM_NTASKS', 1)))
if total_batch % processes:
    raise ValueError(f'a total batch of {total_batch} cannot be shared by {processes} processes: start 1, 2, 4 or 8')

train_dataloader = dict(
    batch_size=total_batch // processes, batch_sampler=dict(type='AspectRatioBatchSampler', drop_last=True)
)  # A cloud needs a full batch.
optim_wrapper = dict(optimizer=dict(lr=0.01))  # mmdet's 0.02 is for 16 images.
auto_scale_lr = dict(base_batch_size=total_batch)  # For --auto-scale-lr with another train_dataloader.batch_size.

default_hooks = dict(checkpoint=dict(max_keep_ckpts=2, save_best='coco/bbox_mAP', rule='greater'))
custom_hooks = [dict(type='topkd.CategoryCheckHook'), dict(type='topkd.ResultHook', monitor='coco/bbox_mAP')]
randomness = dict(seed=0)
