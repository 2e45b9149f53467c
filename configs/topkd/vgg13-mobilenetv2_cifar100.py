_base_ = ['../_base_/pairs/vgg13-mobilenetv2_cifar100.py', '../_base_/losses/topkd.py']

model = dict(losses=_base_.losses)
