_base_ = ['../_base_/pairs/retinanet_r101-r18_coco.py', '../_base_/losses/cwd_dense.py']

model = dict(losses=dict(cwd=_base_.cwd))
