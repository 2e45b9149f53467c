_base_ = ['../_base_/pairs/resnet50-mobilenetv2_imagenet.py', '../_base_/losses/topkd_imagenet.py']

model = dict(losses=_base_.losses)
