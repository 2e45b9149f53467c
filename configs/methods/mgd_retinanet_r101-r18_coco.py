_base_ = ['../_base_/pairs/retinanet_r101-r18_coco.py', '../_base_/losses/mgd_dense.py']

model = dict(losses=dict(mgd=_base_.mgd))
