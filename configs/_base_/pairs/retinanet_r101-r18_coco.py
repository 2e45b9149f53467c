_base_ = ['../../baselines/retinanet_r18_coco.py', '../teachers/retinanet_r101_coco.py']

pair = 'retinanet_r101-r18_coco'
model = dict(_delete_=True, type='topkd.Distiller', student=_base_.model, teacher=_base_.teacher, losses=dict())
custom_hooks = [
    dict(type='topkd.CategoryCheckHook'),
    dict(type='topkd.StudentCheckpointHook'),
    dict(type='topkd.ResultHook', monitor='coco/bbox_mAP'),
]
