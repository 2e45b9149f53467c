_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/norm.py']

# the student keeps a projector between its last map and 8 copies of the teacher's; the widths are those of the networks
model = dict(
    student=dict(
        neck=dict(
            _delete_=True,
            type='topkd.NORMProjector',
            in_channels=_base_.model.student.head.in_channels,
            out_channels=_base_.model.teacher.model.head.in_channels,
            copies=8,
        )
    ),
    losses=dict(norm=_base_.norm_of.get(_base_.pair, _base_.norm)),
)
