_base_ = ['../_base_/pairs/yolox_l-s_coco.py', '../_base_/losses/pkd_dense.py']

model = dict(losses=dict(pkd=_base_.pkd))
