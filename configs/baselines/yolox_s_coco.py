# mmdet's 300 epochs with a total batch of 8: its learning rate of 0.01 is for 64 images. --auto-scale-lr changes it for
# another train_dataloader.batch_size.
_base_ = ['mmdet::yolox/yolox_s_8xb8-300e_coco.py', '../_base_/schedules/total_batch_8.py']

train_dataloader = dict(batch_size=_base_.batch_size, drop_last=True)  # A cloud needs a full batch.
optim_wrapper = dict(optimizer=dict(lr=0.00125))
auto_scale_lr = dict(base_batch_size=_base_.total_batch)

default_hooks = dict(checkpoint=dict(save_best='coco/bbox_mAP', rule='greater'))
custom_hooks = [
    # mmdet's own switch knows a YOLOX alone, not one that is distilled
    dict(type='topkd.YOLOXSwitchHook', num_last_epochs=_base_.num_last_epochs, priority=48),
    dict(type='SyncNormHook', priority=48),
    dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.0001, update_buffers=True, priority=49),
    dict(type='topkd.CategoryCheckHook'),
    dict(type='topkd.ResultHook', monitor='coco/bbox_mAP'),
]
randomness = dict(seed=0)
