_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/nst.py']

model = dict(losses=dict(nst=_base_.nst))
