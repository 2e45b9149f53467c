_base_ = './resnet110-resnet20_cifar100.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
