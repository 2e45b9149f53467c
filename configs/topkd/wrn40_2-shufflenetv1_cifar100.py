_base_ = ['../_base_/pairs/wrn40_2-shufflenetv1_cifar100.py', '../_base_/losses/topkd.py']

_base_.losses.kd.loss_weight = 4.0
model = dict(losses=_base_.losses)
