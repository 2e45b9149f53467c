_base_ = ['../_base_/pairs/faster-rcnn_r101-r50_coco.py', '../_base_/losses/topkd_detection.py']

model = dict(losses=_base_.losses)
