_base_ = ['../../baselines/resnet18_imagenet.py', '../teachers/resnet34_imagenet.py']

pair = 'resnet34-resnet18_imagenet'
model = dict(_delete_=True, type='topkd.Distiller', student=_base_.model, teacher=_base_.teacher, losses=dict())
custom_hooks = [
    dict(type='topkd.TeacherEvaluationHook'),
    dict(type='topkd.StudentCheckpointHook'),
    dict(type='topkd.ResultHook', monitor='accuracy/top1'),
]
