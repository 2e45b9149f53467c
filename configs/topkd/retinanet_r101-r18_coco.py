_base_ = ['../_base_/pairs/retinanet_r101-r18_coco.py', '../_base_/losses/topkd_dense.py']

model = dict(losses=_base_.losses)
