_base_ = ['../../baselines/wrn40_1_cifar100.py', '../teachers/wrn40_2_cifar100.py']

pair = 'wrn40_2-wrn40_1_cifar100'
model = dict(_delete_=True, type='topkd.Distiller', student=_base_.model, teacher=_base_.teacher, losses=dict())
custom_hooks = [
    dict(type='topkd.TeacherEvaluationHook'),
    dict(type='topkd.StudentCheckpointHook'),
    dict(type='topkd.ResultHook', monitor='accuracy/top1'),
]
