# Chen et al. 2021; warm-up of 20 epochs and post-activation maps of the student against pre-activation maps of the
# teacher as in mdistiller, whose default weight 1 is untuned for pairs that are not below.
reviewkd = dict(
    type='topkd.ReviewKDLoss',
    warmup_epochs=20,
    loss_weight=1.0,
    student_tap=['@maps', '@pooled'],
    teacher_tap=['@pre_activation', '@pooled'],
)

# CIFAR-100: the authors' script (dvlab-research/ReviewKD). ImageNet: mdistiller, whose maps there are pre-activations
# of both networks and whose MobileNet is the first.
imagenet = dict(reviewkd, warmup_epochs=1, student_tap=['@pre_activation', '@pooled'])
reviewkd_of = {
    'resnet56-resnet20_cifar100': dict(reviewkd, loss_weight=0.6),
    'resnet110-resnet32_cifar100': dict(reviewkd, loss_weight=1.0),
    'resnet32x4-resnet8x4_cifar100': dict(reviewkd, loss_weight=5.0),
    'resnet32x4-shufflenetv1_cifar100': dict(reviewkd, loss_weight=5.0),
    'resnet32x4-shufflenetv2_cifar100': dict(reviewkd, loss_weight=8.0),
    'wrn40_2-wrn16_2_cifar100': dict(reviewkd, loss_weight=5.0),
    'wrn40_2-wrn40_1_cifar100': dict(reviewkd, loss_weight=5.0),
    'wrn40_2-shufflenetv1_cifar100': dict(reviewkd, loss_weight=5.0),
    'resnet34-resnet18_imagenet': dict(imagenet, loss_weight=1.0, max_channels=512),
    'resnet50-mobilenetv2_imagenet': dict(imagenet, loss_weight=8.0, max_channels=256),
}
