_base_ = ['../../baselines/retinanet_r18w16_digit-scenes.py', '../teachers/retinanet_r18w32_digit-scenes.py']

pair = 'retinanet_r18w32-r18w16_digit-scenes'
model = dict(_delete_=True, type='topkd.Distiller', student=_base_.model, teacher=_base_.teacher, losses=dict())
custom_hooks = [
    dict(type='topkd.CategoryCheckHook'),
    dict(type='topkd.StudentCheckpointHook'),
    dict(type='topkd.ResultHook', monitor='coco/bbox_mAP'),
]
