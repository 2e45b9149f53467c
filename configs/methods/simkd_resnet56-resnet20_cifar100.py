_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/simkd.py']

# the student is trained without CE, and keeps its projector and the teacher's classifier
model = dict(
    student=dict(
        neck=dict(
            _delete_=True,
            type='topkd.SimKDProjector',
            in_channels=_base_.model.student.head.in_channels,
            out_channels=_base_.model.teacher.model.head.in_channels,
        ),
        head=dict(
            type='topkd.TeacherClassifierHead',
            in_channels=_base_.model.teacher.model.head.in_channels,
            checkpoint=_base_.model.teacher.checkpoint,
            loss=dict(type='CrossEntropyLoss', loss_weight=0.0),
        ),
    ),
    losses=dict(simkd=_base_.simkd),
)
