# Du et al. 2021 (feature richness) on the class scores of one-stage detectors; weights of the authors' code, by
# detector: 0.02 for RetinaNet R101-R50, 0.05 for GFL. For YOLOX, whose classes mean nothing without objectness, nothing
# is published: 0.05 is untuned.
kd = dict(type='topkd.DenseKDLoss', loss_weight=0.02)

kd_of = {'gfl_r101-r18_coco': dict(kd, loss_weight=0.05), 'yolox_l-s_coco': dict(kd, loss_weight=0.05, objectness=True)}
