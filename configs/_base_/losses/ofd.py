# Heo et al. 2019; weight as in mdistiller and the authors' code (1e-3, batch mean): CE + 0.001 x OFD, no KD term.
# Taps are those of two CIFAR ResNets; topkd.models.backbones.stage_taps names the other networks' (pre_activation).
losses = dict(ofd=dict(type='topkd.OFDLoss', loss_weight=0.001))
