_base_ = './yolox_l-s_coco.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
