_base_ = ['../_base_/pairs/yolox_l-s_coco.py', '../_base_/losses/cwd_dense.py']

model = dict(losses=dict(cwd=_base_.cwd))
