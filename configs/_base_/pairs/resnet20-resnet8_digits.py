_base_ = ['../../baselines/resnet8_digits.py', '../teachers/resnet20_digits.py']

pair = 'resnet20-resnet8_digits'
model = dict(_delete_=True, type='topkd.Distiller', student=_base_.model, teacher=_base_.teacher, losses=dict())
custom_hooks = [
    dict(type='topkd.TeacherEvaluationHook'),
    dict(type='topkd.StudentCheckpointHook'),
    dict(type='topkd.ResultHook', monitor='accuracy/top1'),
]
