# Chen et al. 2021 on the pyramid, no warm-up; the default weight 1 of the authors' detectors.
reviewkd = dict(
    type='topkd.ReviewKDLoss',
    warmup_epochs=0,
    loss_weight=1.0,
    student_tap=['neck[0]', 'neck[1]', 'neck[2]', 'neck[3]', 'neck[4]'],
)

# The authors' configs (dvlab-research/ReviewKD, the same in mdistiller), by pair.
reviewkd_of = {
    'faster-rcnn_r101-r18_coco': dict(reviewkd, loss_weight=1.2),
    'faster-rcnn_r101-r50_coco': dict(reviewkd, loss_weight=1.0),
    'faster-rcnn_r50-mv2_coco': dict(reviewkd, loss_weight=2.0),
}
