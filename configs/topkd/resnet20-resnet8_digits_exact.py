_base_ = './resnet20-resnet8_digits.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
