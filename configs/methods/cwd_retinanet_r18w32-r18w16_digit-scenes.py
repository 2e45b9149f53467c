_base_ = ['../_base_/pairs/retinanet_r18w32-r18w16_digit-scenes.py', '../_base_/losses/cwd_dense.py']

model = dict(losses=dict(cwd=_base_.cwd))
