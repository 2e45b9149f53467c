_base_ = '../topkd/resnet50-mobilenetv2_cifar100.py'

model = dict(losses=dict(topology=None))
