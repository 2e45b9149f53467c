_base_ = ['../../baselines/mobilenetv2_cifar100.py', '../teachers/vgg13_cifar100.py']

pair = 'vgg13-mobilenetv2_cifar100'
model = dict(_delete_=True, type='topkd.Distiller', student=_base_.model, teacher=_base_.teacher, losses=dict())
custom_hooks = [
    dict(type='topkd.TeacherEvaluationHook'),
    dict(type='topkd.StudentCheckpointHook'),
    dict(type='topkd.ResultHook', monitor='accuracy/top1'),
]
