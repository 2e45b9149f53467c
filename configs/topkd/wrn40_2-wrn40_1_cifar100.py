_base_ = ['../_base_/pairs/wrn40_2-wrn40_1_cifar100.py', '../_base_/losses/topkd.py']

model = dict(losses=_base_.losses)
