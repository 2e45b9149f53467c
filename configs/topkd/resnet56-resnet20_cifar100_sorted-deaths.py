_base_ = './resnet56-resnet20_cifar100.py'

# pulls from the first step on, whatever the scale of the student; weight and scale of the loss are not the paper's
model = dict(losses=dict(topology=dict(distance='sorted_deaths', loss_weight=0.1)))
