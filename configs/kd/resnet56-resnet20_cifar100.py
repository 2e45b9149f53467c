_base_ = '../topkd/resnet56-resnet20_cifar100.py'

model = dict(losses=dict(topology=None))
