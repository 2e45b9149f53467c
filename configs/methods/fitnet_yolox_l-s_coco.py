_base_ = ['../_base_/pairs/yolox_l-s_coco.py', '../_base_/losses/fitnet_dense.py']

model = dict(losses=dict(fitnet=_base_.fitnet))
