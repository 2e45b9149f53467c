# Table 5: cycles instead of components
_base_ = '../topkd/resnet56-resnet20_cifar100.py'
model = dict(losses=dict(topology=dict(vectorizer=dict(homology_dims=(1,)))))
