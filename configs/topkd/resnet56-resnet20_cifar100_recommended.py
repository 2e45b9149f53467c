_base_ = './resnet56-resnet20_cifar100.py'

# the topology term that docs/study.md would try first, at the weight that it chose on another pair; needs no RipsNet
model = dict(losses=dict(topology=dict(distance='rtd_lite', loss_weight=0.15)))
