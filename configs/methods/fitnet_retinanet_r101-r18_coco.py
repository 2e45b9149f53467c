_base_ = ['../_base_/pairs/retinanet_r101-r18_coco.py', '../_base_/losses/fitnet_dense.py']

model = dict(losses=dict(fitnet=_base_.fitnet))
