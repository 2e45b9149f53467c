_base_ = ['../_base_/pairs/gfl_r101-r18_coco.py', '../_base_/losses/reviewkd_dense.py']

model = dict(losses=dict(reviewkd=_base_.reviewkd))
