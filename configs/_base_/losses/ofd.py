# Heo et al. 2019; weight as in mdistiller and the authors' code (1e-3, batch mean): CE + 0.001 x OFD, no KD term.
ofd = dict(type='topkd.OFDLoss', loss_weight=0.001, student_tap='@pre_activation')

# ImageNet: the authors' code, for ResNets, and mdistiller, for MobileNetV2.
ofd_of = {
    'resnet34-resnet18_imagenet': dict(ofd, loss_weight=0.0001),
    'resnet50-mobilenetv2_imagenet': dict(ofd, loss_weight=0.0001),
}
