_base_ = ['../_base_/pairs/resnet50-mobilenetv2_imagenet.py', '../_base_/losses/norm.py']

# the student keeps a projector between its last map and 8 copies of the teacher's, which has 2048 channels
model = dict(
    student=dict(neck=dict(_delete_=True, type='topkd.NORMProjector', in_channels=1280, out_channels=2048, copies=8)),
    losses=dict(norm=_base_.norm_of[_base_.pair]),
)
