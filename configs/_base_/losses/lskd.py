# Sun et al. 2024, Logit Standardization: z-scores of the logits, tau 2, weight 9; the authors' CE has weight 0.1: add
# student_loss_weight=0.1 to the model for their rows.
lskd = dict(type='topkd.KDLoss', standardize=True, tau=2.0, loss_weight=9.0)
