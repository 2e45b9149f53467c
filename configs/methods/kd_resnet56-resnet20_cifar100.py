_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/kd.py']

model = dict(losses=dict(kd=_base_.kd))
