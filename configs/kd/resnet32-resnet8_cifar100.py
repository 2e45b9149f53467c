_base_ = '../topkd/resnet32-resnet8_cifar100.py'

model = dict(losses=dict(topology=None))
