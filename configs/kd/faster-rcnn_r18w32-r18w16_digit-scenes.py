_base_ = '../topkd/faster-rcnn_r18w32-r18w16_digit-scenes.py'

model = dict(losses=dict(topology=None))
