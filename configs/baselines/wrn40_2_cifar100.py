_base_ = ['../_base_/datasets/cifar100.py', '../_base_/schedules/cifar100_240e.py', '../_base_/default_runtime.py']

model = dict(
    type='ImageClassifier',
    backbone=dict(type='topkd.CIFARWideResNet', depth=40, widen_factor=2),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=100,
        in_channels=128,
        # nn.Linear's own initialization of the weight and no bias, as in the CRD benchmark
        init_cfg=dict(
            type='Kaiming', layer='Linear', a=5**0.5, mode='fan_in', nonlinearity='leaky_relu', distribution='uniform'
        ),
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
    ),
)
