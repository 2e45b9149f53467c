_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/cc.py']

model = dict(losses=dict(cc=_base_.cc))
