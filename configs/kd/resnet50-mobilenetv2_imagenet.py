_base_ = '../topkd/resnet50-mobilenetv2_imagenet.py'

model = dict(losses=dict(topology=None))
