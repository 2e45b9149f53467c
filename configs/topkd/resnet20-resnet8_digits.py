_base_ = ['../_base_/pairs/resnet20-resnet8_digits.py', '../_base_/losses/topkd.py']

model = dict(losses=_base_.losses)
# a hundredth of the paper's clouds, for a set of a thirtieth of the images
clouds = dict(num_clouds=2000)
ripsnet = dict(max_epochs=300)
