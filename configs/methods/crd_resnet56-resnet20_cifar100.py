_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/crd.py']

model = dict(losses=dict(crd=_base_.crd))
