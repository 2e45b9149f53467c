# Table 5: components and cycles in one image
_base_ = '../topkd/resnet56-resnet20_cifar100.py'
model = dict(losses=dict(topology=dict(vectorizer=dict(homology_dims=(0, 1)))))
