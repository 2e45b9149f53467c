_base_ = './resnet50-mobilenetv2_cifar100.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
