_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/fitnet.py']

model = dict(losses=dict(fitnet=_base_.fitnet))
