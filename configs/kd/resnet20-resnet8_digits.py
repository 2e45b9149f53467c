_base_ = '../topkd/resnet20-resnet8_digits.py'

model = dict(losses=dict(topology=None))
