# Zhu et al. 2021; constants and weights of the authors' partial code (Lechatelia/CRCD): CE + 0.9 KD + 1 x CRCD, tau 4:
# add a kd entry for that. They train 250 epochs and leave the term out of the last 10: stop_epoch=240 does the same.
# The weights of the paper's own runs are not published.
crcd = dict(
    type='topkd.CRCDLoss',
    embedding=128,
    num_negatives=500,
    temperature=0.05,
    momentum=0.5,
    gradient_weight=1.0,
    loss_weight=1.0,
    student_tap=['@pooled', '@logits', 'head.fc.weight'],
)
