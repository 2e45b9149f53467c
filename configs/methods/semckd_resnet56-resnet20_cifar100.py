_base_ = ['../_base_/pairs/resnet56-resnet20_cifar100.py', '../_base_/losses/semckd.py']
semckd = dict(_base_.semckd_of.get(_base_.pair, _base_.semckd), batch_size=_base_.train_dataloader.batch_size)
model = dict(losses=dict(semckd=semckd))
