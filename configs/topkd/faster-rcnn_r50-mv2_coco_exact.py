_base_ = './faster-rcnn_r50-mv2_coco.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
