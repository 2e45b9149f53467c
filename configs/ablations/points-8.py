# Figure 3: batches of 8, which are the clouds
_base_ = '../topkd/resnet56-resnet20_cifar100.py'
train_dataloader = dict(batch_size=8)
model = dict(losses=dict(topology=dict(cloud=dict(num_points=8))))
