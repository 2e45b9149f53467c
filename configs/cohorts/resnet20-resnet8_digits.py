_base_ = ['../_base_/pairs/resnet20-resnet8_digits.py', '../_base_/losses/topkd.py', '../_base_/losses/rkd.py']

# members: no teacher, KD, KD with exact images (of clouds as they are, and without their scale), and another method
kd, exact = _base_.losses.kd, dict(_base_.losses.topology, vectorizer=dict(type='RipsImage'))
student = _base_.model.student
model = dict(
    _delete_=True,
    type='topkd.Cohort',
    teacher=_base_.model.teacher,
    members=dict(
        plain=dict(student=student, losses=dict()),
        KD=dict(student=student, losses=dict(kd=kd)),
        exact=dict(student=student, losses=dict(kd=kd, topology=exact)),
        normalized=dict(
            student=student,
            losses=dict(kd=kd, topology=dict(exact, cloud=dict(exact['cloud'], normalization='mean_distance'))),
        ),
        RKD=dict(student=student, losses=dict(rkd=_base_.rkd)),
    ),
)
