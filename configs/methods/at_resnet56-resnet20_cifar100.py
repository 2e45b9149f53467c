_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/at.py']

model = dict(losses=dict(at=_base_.at))
