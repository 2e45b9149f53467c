# Ahn et al. 2019; constants and weight of the CRD benchmark (RepDistiller, mdistiller): CE + 1 x VID, no KD term.
# Taps are those of two CIFAR ResNets; topkd.models.backbones.stage_taps names the other networks' (maps).
losses = dict(vid=dict(type='topkd.VIDLoss', initial_variance=5.0, eps=1e-5, loss_weight=1.0))
