_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/simkd.py']

# the student is trained without CE, and keeps its projector and the teacher's classifier (widths of both networks: 64)
model = dict(
    student=dict(
        neck=dict(_delete_=True, type='topkd.SimKDProjector', in_channels=64, out_channels=64),
        head=dict(
            type='topkd.TeacherClassifierHead',
            in_channels=64,
            checkpoint=_base_.model.teacher.checkpoint,
            loss=dict(type='CrossEntropyLoss', loss_weight=0.0),
        ),
    ),
    losses=dict(simkd=_base_.simkd),
)
