# Yang et al. 2022; masked positions, share 0.45, weight 5e-7 and the four levels of the authors' Faster R-CNN config
# (yzd-v/MGD, Cascade Mask R-CNN X101 to Faster R-CNN R50).
mgd = dict(
    type='topkd.MGDLoss',
    mask='positions',
    mask_ratio=0.45,
    loss_weight=5e-7,
    student_tap=['neck[0]', 'neck[1]', 'neck[2]', 'neck[3]'],
)
