_base_ = './resnet32x4-resnet8x4_cifar100.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
