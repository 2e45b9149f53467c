_base_ = '../topkd/wrn40_2-wrn40_1_cifar100.py'

model = dict(losses=dict(topology=None))
