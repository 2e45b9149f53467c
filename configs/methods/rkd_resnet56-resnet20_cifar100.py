_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/rkd.py']

model = dict(losses=dict(rkd=_base_.rkd))
