_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/distpro.py']

model = dict(losses=dict(distpro=_base_.distpro))
