# Huang and Wang 2017; weight of the CRD benchmark (RepDistiller, mdistiller): CE + 50 x NST, no KD term.
# Taps are those of two CIFAR ResNets; topkd.models.backbones.stage_taps names the other networks' (maps).
losses = dict(nst=dict(type='topkd.NSTLoss', loss_weight=50.0))
