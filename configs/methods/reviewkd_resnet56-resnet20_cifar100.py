_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/reviewkd.py']

model = dict(losses=dict(reviewkd=_base_.reviewkd_of.get(_base_.pair, _base_.reviewkd)))
