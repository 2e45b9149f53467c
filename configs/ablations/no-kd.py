# Table 6: cross-entropy and topology
_base_ = '../topkd/resnet56-resnet20_cifar100.py'
model = dict(losses=dict(kd=None))
