_base_ = '../topkd/yolox_l-s_coco.py'

model = dict(losses=dict(topology=None))
