# Zhao et al. 2022; CE + DKD, alpha 1, tau 4, linear warm-up over 20 epochs and beta 8, the defaults of the authors'
# code (mdistiller).
dkd = dict(type='topkd.DKDLoss', alpha=1.0, beta=8.0, tau=4.0, warmup_epochs=20)

# What the configs of mdistiller set otherwise, by pair; for ResNet110-ResNet20, which it lacks, as for
# ResNet110-ResNet32.
dkd_of = {
    'resnet56-resnet20_cifar100': dict(dkd, beta=2.0),
    'resnet110-resnet32_cifar100': dict(dkd, beta=2.0),
    'resnet110-resnet20_cifar100': dict(dkd, beta=2.0),
    'wrn40_2-wrn16_2_cifar100': dict(dkd, beta=6.0),
    'wrn40_2-wrn40_1_cifar100': dict(dkd, beta=6.0),
    'vgg13-vgg8_cifar100': dict(dkd, beta=6.0),
    'vgg13-mobilenetv2_cifar100': dict(dkd, beta=6.0),
    'resnet34-resnet18_imagenet': dict(dkd, beta=0.5, tau=1.0, warmup_epochs=1),
    'resnet50-mobilenetv2_imagenet': dict(dkd, beta=2.0, tau=1.0, warmup_epochs=1),
}
