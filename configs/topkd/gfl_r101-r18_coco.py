_base_ = ['../_base_/pairs/gfl_r101-r18_coco.py', '../_base_/losses/topkd_dense.py']

model = dict(losses=dict(_base_.losses, kd=_base_.kd_of[_base_.pair]))
