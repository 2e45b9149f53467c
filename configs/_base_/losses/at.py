# Zagoruyko and Komodakis 2017; weight of the CRD benchmark (RepDistiller, mdistiller): CE + 1000 x AT, no KD term.
# Taps are those of two CIFAR ResNets; topkd.models.backbones.stage_taps names the other networks' (maps).
losses = dict(at=dict(type='topkd.ATLoss', p=2, loss_weight=1000.0))
