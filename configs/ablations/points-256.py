# Figure 3: batches of 256, which are the clouds
_base_ = '../topkd/resnet56-resnet20_cifar100.py'
train_dataloader = dict(batch_size=256)
model = dict(losses=dict(topology=dict(cloud=dict(num_points=256))))
