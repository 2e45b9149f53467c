_base_ = ['../_base_/pairs/retinanet_r101-r18_coco.py', '../_base_/losses/pkd_dense.py']

model = dict(losses=dict(pkd=_base_.pkd))
