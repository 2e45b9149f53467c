# Wang et al. 2019; threshold and weight of the authors' code (twangnh/Distilling-Object-Detectors), which was written
# for one map: on a pyramid nothing is published, and 0.01 for all its levels together is untuned. There the
# convolution is followed by a ReLU, as the teacher's map is; a pyramid has negative values.
fgfi = dict(
    type='topkd.FGFILoss',
    threshold=0.5,
    loss_weight=0.01,
    student_tap=['neck[0]', 'neck[1]', 'neck[2]', 'neck[3]', 'neck[4]'],
)
