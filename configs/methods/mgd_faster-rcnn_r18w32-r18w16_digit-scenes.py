_base_ = ['../_base_/pairs/faster-rcnn_r18w32-r18w16_digit-scenes.py', '../_base_/losses/mgd_detection.py']

model = dict(losses=dict(mgd=_base_.mgd))
