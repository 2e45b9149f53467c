_base_ = '../topkd/faster-rcnn_r101-r50_coco.py'

model = dict(losses=dict(topology=None))
