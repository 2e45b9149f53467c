_base_ = ['../_base_/pairs/yolox_l-s_coco.py', '../_base_/losses/mgd_dense.py']

model = dict(losses=dict(mgd=_base_.mgd))
