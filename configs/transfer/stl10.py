# Table 10: a linear classifier on the frozen features of a network that was trained on CIFAR-100. Any network:
#   python tools/train.py configs/transfer/stl10.py --cfg-options model.featurizer.config=CONFIG
# model.featurizer.checkpoint=FILE with the config it was trained by (a distillation's stands for its student) and any
# checkpoint of it. The table's pair is resnet50-mobilenetv2_cifar100. The probe's checkpoints hold the features'
# network, too: tools/test.py needs nothing else.
#
# Frozen features and images of 32 x 32 are the CRD benchmark's protocol. The paper does not state how the classifier is
# trained, and the benchmark's code lacks this experiment: the optimizer and its schedule are those of HSAKD's published
# evaluation, crops and flips those of CAT-KD's.
_base_ = '../_base_/default_runtime.py'

data_root = 'data/stl10'  # the folder stl10_binary or its parent

model = dict(
    type='topkd.LinearProbe',
    featurizer=dict(
        config='{{ fileDirname }}/../topkd/resnet56-resnet20_cifar100.py',
        checkpoint='work_dirs/resnet56-resnet20_cifar100/student_epoch_240.pth',
        tap='neck[0]',
    ),
    # in_channels is the width of the features
    head=dict(type='LinearClsHead', num_classes=10, loss=dict(type='CrossEntropyLoss', loss_weight=1.0)),
)

# Every featurizer sees its own normalization, whatever stands here.
data_preprocessor = dict(
    type='topkd.ImageBatchPreprocessor',
    mean=[129.3105, 124.1085, 112.404],
    std=[68.2125, 65.4075, 70.4055],
    crop_padding=4,
    flip_prob=0.5,
)

train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    dataset=dict(type='topkd.STL10', data_root=None, split='train', size=32),
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='topkd.collate_batch'),
)
val_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(type='topkd.STL10', data_root=None, split='test', size=32),
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='topkd.collate_batch'),
)
val_evaluator = dict(type='Accuracy', topk=(1, 5))
test_dataloader = val_dataloader
test_evaluator = val_evaluator

optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9, nesterov=True))
param_scheduler = dict(type='MultiStepLR', by_epoch=True, milestones=[30, 60, 90], gamma=0.1)
train_cfg = dict(by_epoch=True, max_epochs=100, val_interval=1)
val_cfg = dict()
test_cfg = dict()
