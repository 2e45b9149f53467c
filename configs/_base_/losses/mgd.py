# Yang et al. 2022; weight and share of masked channels of the authors' code for ResNet34-ResNet18 on ImageNet: CE +
# 7e-5 x MGD. The authors publish no setting for CIFAR-100: this one is untuned there.
mgd = dict(type='topkd.MGDLoss', mask_ratio=0.15, mask='channels', loss_weight=7e-5, student_tap='@last_map')
