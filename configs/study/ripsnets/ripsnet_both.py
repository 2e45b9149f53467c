# A RipsNet that learns from students' clouds and from the teacher's at other scales.
_base_ = './ripsnet_students.py'

checkpoint = f'{_base_.folder}/ripsnet_both/ripsnet.pth'
model = dict(losses=dict(topology=dict(vectorizer=dict(checkpoint=checkpoint))))
clouds = dict(scales=(0.1, 3.0))
