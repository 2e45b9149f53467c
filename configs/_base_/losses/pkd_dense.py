# Cao et al. 2022; weight 10 a level of mmrazor's RetinaNet config, which has the first four levels of five.
pkd = dict(type='topkd.PKDLoss', loss_weight=10.0, student_tap='@pyramid')
