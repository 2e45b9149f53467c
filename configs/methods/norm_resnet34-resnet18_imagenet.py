_base_ = ['../_base_/pairs/resnet34-resnet18_imagenet.py', '../_base_/losses/norm.py']

# the student keeps a projector between its last map and 8 copies of the teacher's, which has 512 channels
model = dict(
    student=dict(neck=dict(_delete_=True, type='topkd.NORMProjector', in_channels=512, out_channels=512, copies=8)),
    losses=dict(norm=_base_.norm_of[_base_.pair]),
)
