_base_ = ['../_base_/pairs/faster-rcnn_r50-mv2_coco.py', '../_base_/losses/reviewkd_detection.py']

model = dict(losses=dict(reviewkd=_base_.reviewkd_of.get(_base_.pair, _base_.reviewkd)))
