_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/pkt.py']

model = dict(losses=dict(pkt=_base_.pkt))
