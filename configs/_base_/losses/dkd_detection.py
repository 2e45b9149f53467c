# Zhao et al. 2022 on the scores of the student's RoIs; alpha, beta and tau of the authors' detectors (mdistiller),
# which have no warm-up and the same constants for all pairs.
dkd = dict(
    type='topkd.DKDLoss',
    alpha=1.0,
    beta=0.25,
    tau=1.0,
    warmup_epochs=0,
    student_tap='roi_head.bbox_head.fc_cls',
    label_tap='roi_head.bbox_head.loss_cls(1)',
)
