# Guo et al. 2023; CE + weight x CAT-KD, no KD term. The weight goes with the pair; that of ResNet56-ResNet20 is
# untuned for pairs that are not below.
catkd = dict(type='topkd.CATKDLoss', resolution=2, normalize=False, loss_weight=0.7)

# The configs of the authors' code (GzyAftermath/CAT-KD), by pair.
catkd_of = {
    'resnet56-resnet20_cifar100': dict(catkd, loss_weight=0.7),
    'resnet110-resnet32_cifar100': dict(catkd, loss_weight=1.8),
    'resnet32x4-resnet8x4_cifar100': dict(catkd, loss_weight=15.0),
    'wrn40_2-wrn16_2_cifar100': dict(catkd, loss_weight=12.0),
    'wrn40_2-wrn40_1_cifar100': dict(catkd, loss_weight=1.5),
    'vgg13-vgg8_cifar100': dict(catkd, loss_weight=4.5),
    'vgg13-mobilenetv2_cifar100': dict(catkd, loss_weight=15.0, normalize=True),
    'resnet50-mobilenetv2_cifar100': dict(catkd, loss_weight=40.0, normalize=True),
    'resnet32x4-shufflenetv1_cifar100': dict(catkd, loss_weight=600.0, normalize=True, resolution=4),
    'resnet32x4-shufflenetv2_cifar100': dict(catkd, loss_weight=600.0, normalize=True, resolution=4),
    'wrn40_2-shufflenetv1_cifar100': dict(catkd, loss_weight=80.0, normalize=True, resolution=4),
    'resnet34-resnet18_imagenet': dict(catkd, loss_weight=0.5, resolution=4),
    'resnet50-mobilenetv2_imagenet': dict(catkd, loss_weight=10.0, normalize=True),
}
