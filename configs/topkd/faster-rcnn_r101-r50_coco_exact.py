_base_ = './faster-rcnn_r101-r50_coco.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
