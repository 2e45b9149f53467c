_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/lskd.py']

model = dict(losses=dict(lskd=_base_.lskd))
