_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/semckd.py']

model = dict(losses=dict(semckd=_base_.semckd_of[_base_.pair]))
