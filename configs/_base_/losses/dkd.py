# Zhao et al. 2022; constants of the authors' code (mdistiller): CE + DKD, alpha 1, tau 4, linear warm-up over 20
# epochs. Beta goes with the teacher: 2 for ResNet56 and ResNet110, 6 for WRN and VGG, 8 for the others.
dkd = dict(type='topkd.DKDLoss', alpha=1.0, beta=2.0, tau=4.0, warmup_epochs=20)
