_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/crcd.py']

model = dict(losses=dict(crcd=_base_.crcd))
