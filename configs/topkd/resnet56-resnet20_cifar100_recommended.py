_base_ = './resnet56-resnet20_cifar100.py'

# the topology term that gained in docs/study.md, at the weight that was chosen there on another pair; needs no RipsNet
model = dict(losses=dict(topology=dict(distance='rtd_lite', loss_weight=0.15)))
