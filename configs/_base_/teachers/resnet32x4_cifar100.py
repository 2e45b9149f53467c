teacher = dict(
    name='resnet32x4_cifar100',
    model=dict(
        type='ImageClassifier',
        backbone=dict(type='topkd.CIFARResNet', depth=32, channels=(32, 64, 128, 256)),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=100, in_channels=256),
    ),
    checkpoint='checkpoints/resnet32x4_cifar100.pth',
    floor={'accuracy/top1': 77.0},
)
