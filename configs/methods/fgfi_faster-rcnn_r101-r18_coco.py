_base_ = ['../_base_/pairs/faster-rcnn_r101-r18_coco.py', '../_base_/losses/fgfi_detection.py']

model = dict(losses=dict(fgfi=_base_.fgfi))
