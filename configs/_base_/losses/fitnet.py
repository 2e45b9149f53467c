# Romero et al. 2015; weight and hint layer 2 of the CRD benchmark (RepDistiller, mdistiller): CE + 100 x FitNet, no KD
# term. The tap is that of two CIFAR networks; topkd.models.backbones.stage_taps names others (maps[1]).
losses = dict(fitnet=dict(type='topkd.FitNetLoss', loss_weight=100.0))
