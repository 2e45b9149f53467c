# The study's student with KD alone, of a seed that the study has not; all epochs are kept, for RipsNets to learn from.
_base_ = '../resnet32-resnet8_cifar100.py'

model = dict(losses=dict(kd=dict(type='topkd.KDLoss', tau=4.0, loss_weight=3.0)))
default_hooks = dict(checkpoint=dict(max_keep_ckpts=-1))
randomness = dict(seed=8)
