_base_ = '../topkd/vgg13-mobilenetv2_cifar100.py'

model = dict(losses=dict(topology=None))
