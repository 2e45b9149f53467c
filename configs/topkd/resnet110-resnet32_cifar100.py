_base_ = ['../baselines/resnet32_cifar100.py', '../_base_/teachers/resnet110_cifar100.py', '../_base_/losses/topkd.py']

model = dict(_delete_=True, type='topkd.Distiller', student=_base_.model, teacher=_base_.teacher, losses=_base_.losses)
custom_hooks = _base_.distillation_hooks
