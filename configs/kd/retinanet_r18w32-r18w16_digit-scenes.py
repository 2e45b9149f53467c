_base_ = '../topkd/retinanet_r18w32-r18w16_digit-scenes.py'

model = dict(losses=dict(topology=None))
