_base_ = '../topkd/wrn40_2-shufflenetv1_cifar100.py'

model = dict(losses=dict(topology=None))
