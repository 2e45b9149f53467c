_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/vid.py']

model = dict(losses=dict(vid=_base_.vid))
