_base_ = ['../_base_/pairs/retinanet_r101-r18_coco.py', '../_base_/losses/fgfi_dense.py']

model = dict(losses=dict(fgfi=_base_.fgfi))
