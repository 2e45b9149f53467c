_base_ = './resnet32-resnet8_cifar100.py'

model = dict(
    student=dict(backbone=dict(depth=20)),
    teacher=dict(
        name='resnet56_cifar100',
        model=dict(backbone=dict(depth=56)),
        checkpoint='checkpoints/resnet56_cifar100.pth',
        floor={'accuracy/top1': 70.0},
    ),
)
