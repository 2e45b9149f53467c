_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/sp.py']

model = dict(losses=dict(sp=_base_.sp))
