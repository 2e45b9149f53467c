_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/fsp.py']

model = dict(losses=dict(fsp=_base_.fsp))
