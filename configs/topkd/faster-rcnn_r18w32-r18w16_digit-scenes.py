_base_ = [
    '../baselines/faster-rcnn_r18w16_digit-scenes.py',
    '../_base_/teachers/faster-rcnn_r18w32_digit-scenes.py',
    '../_base_/losses/topkd_detection.py',
]

model = dict(_delete_=True, type='topkd.Distiller', student=_base_.model, teacher=_base_.teacher, losses=_base_.losses)
custom_hooks = _base_.distillation_hooks
clouds = dict(num_clouds=2000)
ripsnet = dict(max_epochs=300)
