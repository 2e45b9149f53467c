teacher = dict(
    name='resnet50_cifar100',
    model=dict(
        type='ImageClassifier',
        backbone=dict(type='topkd.CIFARResNet50'),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=100, in_channels=2048),
    ),
    checkpoint='checkpoints/resnet50_cifar100.pth',
    floor={'accuracy/top1': 77.0},
)
