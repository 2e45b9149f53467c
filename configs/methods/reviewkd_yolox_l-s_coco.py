_base_ = ['../_base_/pairs/yolox_l-s_coco.py', '../_base_/losses/reviewkd_dense.py']

model = dict(losses=dict(reviewkd=_base_.reviewkd))
