_base_ = '../topkd/wrn40_2-wrn16_2_cifar100.py'

model = dict(losses=dict(topology=None))
