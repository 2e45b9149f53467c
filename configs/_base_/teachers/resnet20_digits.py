# trained by tools/digits.py, or by: python tools/train.py configs/baselines/resnet20_digits.py
teacher = dict(
    name='resnet20_digits',
    model=dict(
        type='ImageClassifier',
        backbone=dict(type='topkd.CIFARResNet', depth=20),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(type='LinearClsHead', num_classes=10, in_channels=64, topk=(1,)),
    ),
    checkpoint='work_dirs/resnet20_digits/epoch_24.pth',
    floor={'accuracy/top1': 90.0},
)
