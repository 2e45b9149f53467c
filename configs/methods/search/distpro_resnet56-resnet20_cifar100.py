# The search of DistPro's process, 40 epochs as in the authors' README: the student trains on four fifths of the
# training set, the process learns from the rest and is left in process.json of the work_dir.
_base_ = ['../../_base_/pairs/resnet56-resnet20_cifar100.py', '../../_base_/losses/distpro.py']

# a folder of its own: the training that follows has a config of the same name
work_dir = 'work_dirs/search/distpro_resnet56-resnet20_cifar100'
model = dict(losses=dict(distpro=dict(_base_.distpro, search=True)))
train_cfg = dict(max_epochs=40)
train_dataloader = dict(dataset=dict(indices=40_000))
search_dataloader = dict(
    _base_.train_dataloader, dataset=dict(type='topkd.CIFAR100', data_root=None, split='train', indices=-10_000)
)
custom_hooks = [*_base_.custom_hooks, dict(type='topkd.DistProSearchHook')]
