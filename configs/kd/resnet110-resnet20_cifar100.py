_base_ = '../topkd/resnet110-resnet20_cifar100.py'

model = dict(losses=dict(topology=None))
