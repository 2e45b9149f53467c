_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/srrl.py']

model = dict(losses=dict(srrl=_base_.srrl))
