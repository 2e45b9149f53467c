_base_ = '../topkd/vgg13-vgg8_cifar100.py'

model = dict(losses=dict(topology=None))
