# Chen et al. 2021 on the pyramid; weight 1.2 of mdistiller's R101-R18 config (its other pairs have their own), no
# warm-up.
reviewkd = dict(
    type='topkd.ReviewKDLoss',
    warmup_epochs=0,
    loss_weight=1.2,
    student_tap=['neck[0]', 'neck[1]', 'neck[2]', 'neck[3]', 'neck[4]'],
)
