_base_ = './wrn40_2-shufflenetv1_cifar100.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
