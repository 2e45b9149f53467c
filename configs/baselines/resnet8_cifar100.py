_base_ = ['../_base_/datasets/cifar100.py', '../_base_/schedules/cifar100_240e.py', '../_base_/default_runtime.py']

model = dict(
    type='ImageClassifier',
    backbone=dict(type='topkd.CIFARResNet', depth=8),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=100,
        in_channels=64,
        init_cfg=None,  # nn.Linear's own initialization, as in the CRD benchmark
        loss=dict(type='CrossEntropyLoss', loss_weight=1.0),
    ),
)
