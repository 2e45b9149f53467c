_base_ = '../topkd/resnet34-resnet18_imagenet.py'

model = dict(losses=dict(topology=None))
