teacher = dict(
    name='vgg13_cifar100',
    model=dict(
        type='ImageClassifier',
        backbone=dict(type='topkd.CIFARVGG', depth=13),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=100, in_channels=512),
    ),
    checkpoint='checkpoints/vgg13_cifar100.pth',
    floor={'accuracy/top1': 72.0},
)
