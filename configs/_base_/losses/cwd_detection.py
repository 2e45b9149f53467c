# Shu et al. 2021; tau 1 and weight 10 a level of mmrazor's Faster R-CNN config.
cwd = dict(
    type='topkd.CWDLoss', tau=1.0, loss_weight=10.0, student_tap=['neck[0]', 'neck[1]', 'neck[2]', 'neck[3]', 'neck[4]']
)
