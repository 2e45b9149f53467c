_base_ = ['../_base_/pairs/retinanet_r18w32-r18w16_digit-scenes.py', '../_base_/losses/fitnet_dense.py']

model = dict(losses=dict(fitnet=_base_.fitnet))
