_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/mgd.py']

model = dict(losses=dict(mgd=_base_.mgd))
