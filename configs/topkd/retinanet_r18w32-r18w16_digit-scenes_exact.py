_base_ = './retinanet_r18w32-r18w16_digit-scenes.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
