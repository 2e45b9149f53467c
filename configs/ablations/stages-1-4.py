# Table 7: student's stage 1, teacher's stage 4 (4 and 4 is the pair itself)
_base_ = '../topkd/resnet56-resnet20_cifar100.py'
model = dict(losses=dict(topology=dict(student_tap='backbone.stem', teacher_tap='neck[0]')))
