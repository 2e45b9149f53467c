# Table 10: as stl10.py, on Tiny-ImageNet.
_base_ = './stl10.py'

data_root = 'data/tiny-imagenet'  # the folder tiny-imagenet-200 or its parent

model = dict(head=dict(num_classes=200))

train_dataloader = dict(dataset=dict(type='topkd.TinyImageNet'))
val_dataloader = dict(dataset=dict(type='topkd.TinyImageNet', split='val'))
test_dataloader = val_dataloader
