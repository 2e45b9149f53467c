_base_ = '../topkd/resnet50-vgg8_cifar100.py'

model = dict(losses=dict(topology=None))
