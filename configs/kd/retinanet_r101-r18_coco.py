_base_ = '../topkd/retinanet_r101-r18_coco.py'

model = dict(losses=dict(topology=None))
