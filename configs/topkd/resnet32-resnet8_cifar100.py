_base_ = ['../_base_/pairs/resnet32-resnet8_cifar100.py', '../_base_/losses/topkd.py']

model = dict(losses=_base_.losses)
