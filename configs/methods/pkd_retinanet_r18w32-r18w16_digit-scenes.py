_base_ = ['../_base_/pairs/retinanet_r18w32-r18w16_digit-scenes.py', '../_base_/losses/pkd_dense.py']

model = dict(losses=dict(pkd=_base_.pkd))
