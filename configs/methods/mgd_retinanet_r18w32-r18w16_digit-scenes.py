_base_ = ['../_base_/pairs/retinanet_r18w32-r18w16_digit-scenes.py', '../_base_/losses/mgd_dense.py']

model = dict(losses=dict(mgd=_base_.mgd))
