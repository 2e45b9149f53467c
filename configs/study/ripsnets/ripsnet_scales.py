# A RipsNet that learns from the teacher's clouds at other scales too; the study makes it in the same place.
_base_ = './ripsnet.py'

checkpoint = f'{_base_.folder}/ripsnet_scales/ripsnet.pth'
model = dict(losses=dict(topology=dict(vectorizer=dict(checkpoint=checkpoint))))
clouds = dict(scales=(0.1, 3.0))
