_base_ = './resnet34-resnet18_imagenet.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
