_base_ = ['../_base_/pairs/resnet34-resnet18_imagenet.py', '../_base_/losses/topkd_imagenet.py']

model = dict(losses=_base_.losses)
