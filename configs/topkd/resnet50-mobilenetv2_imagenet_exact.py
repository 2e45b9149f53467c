_base_ = './resnet50-mobilenetv2_imagenet.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
