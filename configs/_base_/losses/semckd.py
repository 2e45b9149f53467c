# Chen et al. 2021; networks and weight of the authors' code (DefangChen/SemCKD): CE + KD (tau 4) + 400 x SemCKD; add
# a kd entry for the second. batch_size is that of one process.
semckd = dict(type='topkd.SemCKDLoss', batch_size=64, factor=4, loss_weight=400.0, student_tap='@maps')

# ImageNet, from the README of the authors' code.
semckd_of = {'resnet34-resnet18_imagenet': dict(semckd, loss_weight=50.0)}
