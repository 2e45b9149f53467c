_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/norm.py']

# the student keeps a projector between its last map (64 channels) and 8 copies of the teacher's (64 channels)
model = dict(
    student=dict(neck=dict(_delete_=True, type='topkd.NORMProjector', in_channels=64, out_channels=64, copies=8)),
    losses=dict(norm=_base_.norm),
)
