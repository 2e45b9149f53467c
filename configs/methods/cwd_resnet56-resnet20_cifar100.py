_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/cwd.py']

model = dict(losses=dict(cwd=_base_.cwd))
