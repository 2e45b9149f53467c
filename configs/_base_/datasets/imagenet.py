# ImageNet-1K, or any folder of the same style: data_root/train/<class>/*.JPEG and data_root/val/<class>/*.JPEG.
data_root = 'data/imagenet'
num_classes = 1000  # Outputs of all heads, the teachers' included. A folder may hold fewer classes; not more.

data_preprocessor = dict(
    type='ClsDataPreprocessor',
    num_classes=num_classes,
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    to_rgb=True,
)

# torchvision's weights were trained on images that Pillow resized: cv2, which does not blur first, costs them accuracy.
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='RandomResizedCrop', scale=224, backend='pillow'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='ResizeEdge', scale=256, edge='short', backend='pillow'),
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackInputs'),
]

# data_root=None takes the top-level one, so that a leaf config or --cfg-options sets it for all loaders at once.
train_dataloader = dict(
    batch_size=256,  # Of one process; 8 processes take 32 each: --cfg-options train_dataloader.batch_size=32
    num_workers=8,
    drop_last=True,  # A cloud needs a full batch.
    dataset=dict(
        type='topkd.ImageFolder', data_root=None, split='train', num_classes=num_classes, pipeline=train_pipeline
    ),
    sampler=dict(type='DefaultSampler', shuffle=True),
)

val_dataloader = dict(
    batch_size=128,
    num_workers=8,
    dataset=dict(
        type='topkd.ImageFolder', data_root=None, split='val', num_classes=num_classes, pipeline=test_pipeline
    ),
    sampler=dict(type='DefaultSampler', shuffle=False),
)
val_evaluator = dict(type='Accuracy', topk=(1, 5))

test_dataloader = val_dataloader
test_evaluator = val_evaluator
