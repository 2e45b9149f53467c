# Yim et al. 2017; weight 50 as in the CRD benchmark's script (RepDistiller). The benchmark trains this term alone for
# 30 epochs, and then CE alone for 240; here both stand in one run. Only for pairs of equal widths.
fsp = dict(type='topkd.FSPLoss', loss_weight=50.0, student_tap=['@stem', '@maps'])
