_base_ = './gfl_r101-r18_coco.py'

model = dict(losses=dict(topology=dict(vectorizer=dict(type='RipsImage'))))
