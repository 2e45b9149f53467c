_base_ = ['../baselines/resnet8_digits.py', '../_base_/teachers/resnet20_digits.py', '../_base_/losses/topkd.py']

model = dict(_delete_=True, type='topkd.Distiller', student=_base_.model, teacher=_base_.teacher, losses=_base_.losses)
custom_hooks = _base_.distillation_hooks
# a hundredth of the paper's clouds, for a set of a thirtieth of the images
clouds = dict(num_clouds=2000)
ripsnet = dict(max_epochs=300)
