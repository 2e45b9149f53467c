# Yang et al. 2022; masked positions, share 0.65 and weight 2e-5 a level of mmrazor's RetinaNet config. The authors
# publish other numbers for two-stage detectors, which were not checked: these are untuned there.
mgd = dict(
    type='topkd.MGDLoss',
    mask='positions',
    mask_ratio=0.65,
    loss_weight=2e-5,
    student_tap=['neck[0]', 'neck[1]', 'neck[2]', 'neck[3]', 'neck[4]'],
)
