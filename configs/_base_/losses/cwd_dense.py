# Shu et al. 2021; tau 1 and weight 10 a level of mmrazor's RetinaNet and GFL configs. On the class logits instead of
# the pyramid: student_tap='@class_logits'.
cwd = dict(type='topkd.CWDLoss', tau=1.0, loss_weight=10.0, student_tap='@pyramid')
