_base_ = ['../../baselines/yolox_s_coco.py', '../teachers/yolox_l_coco.py']

pair = 'yolox_l-s_coco'
model = dict(_delete_=True, type='topkd.Distiller', student=_base_.model, teacher=_base_.teacher, losses=dict())
custom_hooks = [*_base_.custom_hooks, dict(type='topkd.StudentCheckpointHook')]
