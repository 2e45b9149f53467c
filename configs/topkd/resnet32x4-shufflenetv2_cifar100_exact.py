_base_ = './resnet32x4-shufflenetv2_cifar100.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
