teacher = dict(
    name='resnet32_cifar100',
    model=dict(
        type='ImageClassifier',
        backbone=dict(type='topkd.CIFARResNet', depth=32),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=100, in_channels=64),
    ),
    checkpoint='checkpoints/resnet32_cifar100.pth',
    floor={'accuracy/top1': 68.0},
)
