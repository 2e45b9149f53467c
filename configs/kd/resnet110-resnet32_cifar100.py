_base_ = '../topkd/resnet110-resnet32_cifar100.py'

model = dict(losses=dict(topology=None))
