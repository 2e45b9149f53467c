# A pair as docs/study.md trains it: a fifth of CIFAR-100's training images, 100 a class, validated on 50 other training
# images a class; the recipe's drops at the same shares of 30 epochs.
_base_ = '../_base_/pairs/resnet32-resnet8_cifar100.py'

train_dataloader = dict(dataset=dict(per_class=(0, 100)))
val_dataloader = dict(dataset=dict(split='train', per_class=(100, 150)))

train_cfg = dict(max_epochs=30, val_interval=5)
optim_wrapper = dict(type='topkd.Bfloat16OptimWrapper')
param_scheduler = dict(milestones=[19, 22, 26])

default_hooks = dict(
    logger=dict(interval=52),  # An epoch has 156 steps.
    checkpoint=dict(_delete_=True, type='CheckpointHook', interval=1, max_keep_ckpts=1),
)
custom_hooks = [dict(type='topkd.TeacherEvaluationHook'), dict(type='topkd.ResultHook', monitor='accuracy/top1')]

# What RipsNets learn from, and for how long.
clouds = dict(num_clouds=4000, seed=0)
ripsnet = dict(operators=('mean', 'sum'), lr=5e-4, batch_size=64, max_epochs=300, patience=50)
