# scikit-learn's bundled digits (8 x 8, 10 classes, 1,438 + 359 images): nothing to download.
data_preprocessor = dict(
    type='topkd.ImageBatchPreprocessor', mean=[78.0, 78.0, 78.0], std=[96.0, 96.0, 96.0], crop_padding=1
)  # No flip: a mirrored digit is another sign.

train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    drop_last=True,  # A cloud needs a full batch.
    dataset=dict(type='topkd.Digits', split='train'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='topkd.collate_batch'),
)

val_dataloader = dict(
    batch_size=500,
    num_workers=0,
    dataset=dict(type='topkd.Digits', split='test'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='topkd.collate_batch'),
)
val_evaluator = dict(type='Accuracy', topk=(1,))

test_dataloader = val_dataloader
test_evaluator = val_evaluator
