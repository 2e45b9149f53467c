teacher = dict(
    name='wrn40_2_cifar100',
    model=dict(
        type='ImageClassifier',
        backbone=dict(type='topkd.CIFARWideResNet', depth=40, widen_factor=2),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=100, in_channels=128),
    ),
    checkpoint='checkpoints/wrn40_2_cifar100.pth',
    floor={'accuracy/top1': 73.0},
)
