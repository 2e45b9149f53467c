_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/catkd.py']

model = dict(losses=dict(catkd=_base_.catkd_of.get(_base_.pair, _base_.catkd)))
