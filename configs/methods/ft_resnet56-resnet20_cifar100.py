_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/ft.py']

model = dict(losses=dict(ft=_base_.ft))
