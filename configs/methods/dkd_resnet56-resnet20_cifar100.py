_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/dkd.py']

model = dict(losses=dict(dkd=_base_.dkd_of.get(_base_.pair, _base_.dkd)))
