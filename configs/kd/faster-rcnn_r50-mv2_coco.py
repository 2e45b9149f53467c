_base_ = '../topkd/faster-rcnn_r50-mv2_coco.py'

model = dict(losses=dict(topology=None))
