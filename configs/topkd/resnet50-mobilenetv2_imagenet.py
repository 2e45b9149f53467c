_base_ = [
    '../baselines/mobilenetv2_imagenet.py',
    '../_base_/teachers/resnet50_imagenet.py',
    '../_base_/losses/topkd_imagenet.py',
]

model = dict(_delete_=True, type='topkd.Distiller', student=_base_.model, teacher=_base_.teacher, losses=_base_.losses)
custom_hooks = _base_.distillation_hooks
