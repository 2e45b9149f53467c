# Yang et al. 2022; masked positions, share 0.65, weight 2e-5 and all five levels of the authors' RetinaNet config
# (yzd-v/MGD, X101 to R50).
mgd = dict(type='topkd.MGDLoss', mask='positions', mask_ratio=0.65, loss_weight=2e-5, student_tap='@pyramid')
