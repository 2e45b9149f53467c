# Table 12: weight of KD (the pair has 2)
_base_ = '../topkd/resnet56-resnet20_cifar100.py'
model = dict(losses=dict(kd=dict(loss_weight=1.0)))
