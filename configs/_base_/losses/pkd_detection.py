# Cao et al. 2022; weight 6 a level, four levels, of mmrazor's Faster R-CNN config.
pkd = dict(type='topkd.PKDLoss', loss_weight=6.0, student_tap=['neck[0]', 'neck[1]', 'neck[2]', 'neck[3]'])
