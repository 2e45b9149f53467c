# Table 11: weight of topology (the pair has 5)
_base_ = '../topkd/resnet56-resnet20_cifar100.py'
model = dict(losses=dict(topology=dict(loss_weight=7.0)))
