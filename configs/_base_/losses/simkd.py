# Chen et al. 2022; weight and factor of the authors' code: 1 x SimKD alone, without CE and without KD.
# The student gets a projector and the teacher's classifier, see configs/methods/simkd_resnet56-resnet20_cifar100.py.
simkd = dict(type='topkd.SimKDLoss', loss_weight=1.0)
