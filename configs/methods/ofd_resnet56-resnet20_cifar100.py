_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/ofd.py']

model = dict(losses=dict(ofd=_base_.ofd_of.get(_base_.pair, _base_.ofd)))
