_base_ = ['../_base_/pairs/retinanet_r18w32-r18w16_digit-scenes.py', '../_base_/losses/topkd_dense.py']

model = dict(losses=_base_.losses)
clouds = dict(num_clouds=2000)
ripsnet = dict(max_epochs=300)
