# CIFAR-100: the official cifar-100-python folder at or below data_root, downloaded there where it is missing.
data_root = 'data/cifar100'

data_preprocessor = dict(
    type='topkd.ImageBatchPreprocessor',
    mean=[129.3105, 124.1085, 112.404],  # 255 x (0.5071, 0.4867, 0.4408)
    std=[68.2125, 65.4075, 70.4055],  # 255 x (0.2675, 0.2565, 0.2761)
    crop_padding=4,
    flip_prob=0.5,
)

# data_root=None takes the top-level one, so that a leaf config or --cfg-options sets it for all loaders at once.
train_dataloader = dict(
    batch_size=64,
    num_workers=0,  # A batch is one index_select: workers would only copy it once more.
    drop_last=True,  # A cloud needs a full batch.
    dataset=dict(type='topkd.CIFAR100', data_root=None, split='train'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='topkd.collate_batch'),
)

val_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(type='topkd.CIFAR100', data_root=None, split='test'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='topkd.collate_batch'),
)
val_evaluator = dict(type='Accuracy', topk=(1, 5))

test_dataloader = val_dataloader
test_evaluator = val_evaluator
