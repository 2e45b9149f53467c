_base_ = ['../_base_/pairs/resnet20-resnet8_digits.py', '../_base_/losses/topkd.py']

model = dict(losses=_base_.losses)
# for a set of a thirtieth of the images, and two minutes
clouds = dict(num_clouds=1000)
ripsnet = dict(max_epochs=150)
