# Wang et al. 2019; threshold and weight of the authors' code, which was written for one map: 0.01 for a whole pyramid
# is untuned.
fgfi = dict(
    type='topkd.FGFILoss',
    threshold=0.5,
    loss_weight=0.01,
    student_tap=['neck[0]', 'neck[1]', 'neck[2]', 'neck[3]', 'neck[4]'],
)
