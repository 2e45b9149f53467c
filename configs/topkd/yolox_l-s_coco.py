_base_ = ['../_base_/pairs/yolox_l-s_coco.py', '../_base_/losses/topkd_dense.py']

levels = ['neck[0]', 'neck[1]', 'neck[2]']
topology = dict(_base_.losses.topology, student_tap=levels)
model = dict(losses=dict(kd=_base_.kd_of[_base_.pair], topology=topology))
