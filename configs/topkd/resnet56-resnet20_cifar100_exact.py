_base_ = './resnet56-resnet20_cifar100.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
