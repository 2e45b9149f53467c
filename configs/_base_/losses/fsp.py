# Yim et al. 2017; weight 50 as in the CRD benchmark's script (RepDistiller). The benchmark trains this term alone for
# 30 epochs, and then CE alone for 240; here both stand in one run. Only for pairs of equal widths. Taps are those of
# two CIFAR ResNets; topkd.models.backbones.stage_taps names the other networks' (stem, then maps).
losses = dict(fsp=dict(type='topkd.FSPLoss', loss_weight=50.0))
