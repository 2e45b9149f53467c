# Chen et al. 2021; networks and weight of the authors' code (DefangChen/SemCKD): CE + KD (tau 4) + 400 x SemCKD; add
# a kd entry for the second. batch_size is that of one process.
semckd = dict(type='topkd.SemCKDLoss', batch_size=64, factor=4, loss_weight=400.0, student_tap='@maps')

# ResNet34-ResNet18: README of the authors' code. ResNet56-ResNet20 is none of their pairs: 400 drives its loss to
# infinity within 12 steps with the teacher of pytorch-cifar-models, 100 trains, untuned. So is 100 for the digits,
# where 400 drives a student to infinity within an epoch.
semckd_of = {
    'resnet56-resnet20_cifar100': dict(semckd, loss_weight=100.0),
    'resnet20-resnet8_digits': dict(semckd, loss_weight=100.0),
    'resnet34-resnet18_imagenet': dict(semckd, loss_weight=50.0),
}
