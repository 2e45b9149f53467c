_base_ = ['../../baselines/resnet8x4_cifar100.py', '../teachers/resnet32x4_cifar100.py']

pair = 'resnet32x4-resnet8x4_cifar100'
model = dict(_delete_=True, type='topkd.Distiller', student=_base_.model, teacher=_base_.teacher, losses=dict())
custom_hooks = [
    dict(type='topkd.TeacherEvaluationHook'),
    dict(type='topkd.StudentCheckpointHook'),
    dict(type='topkd.ResultHook', monitor='accuracy/top1'),
]
