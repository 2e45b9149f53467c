# Figure 3: batches of 128, which are the clouds
_base_ = '../topkd/resnet56-resnet20_cifar100.py'
train_dataloader = dict(batch_size=128)
model = dict(losses=dict(topology=dict(cloud=dict(num_points=128))))
