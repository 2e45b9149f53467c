_base_ = ['../_base_/pairs/faster-rcnn_r50-mv2_coco.py', '../_base_/losses/dkd_detection.py']

model = dict(losses=dict(dkd=_base_.dkd))
