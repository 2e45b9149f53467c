_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/dist.py']

model = dict(losses=dict(dist=_base_.dist_of.get(_base_.pair, _base_.dist)))
