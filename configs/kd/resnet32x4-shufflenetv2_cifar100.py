_base_ = '../topkd/resnet32x4-shufflenetv2_cifar100.py'

model = dict(losses=dict(topology=None))
