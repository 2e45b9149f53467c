# A CNN learns from a transformer. Clouds of 64 class tokens; weights as in topkd.py, not tuned.
_base_ = ['../baselines/resnet18_imagenet.py', '../_base_/losses/topkd.py']

model = dict(
    _delete_=True,
    type='topkd.Distiller',
    student=_base_.model,
    teacher=dict(
        name='deit-small_imagenet',
        config='mmpretrain::deit/deit-small_4xb256_in1k.py',
        checkpoint='https://download.openmmlab.com/mmclassification/v0/deit/'
        'deit-small_pt-4xb256_in1k_20220218-9425b9bb.pth',
        floor={'accuracy/top1': 78.0},
    ),
    losses=dict(
        kd=dict(_base_.losses.kd, teacher_tap='head.layers.head'),
        topology=dict(_base_.losses.topology, teacher_tap='head.layers.head(0)', vectorizer=dict(type='RipsImage')),
    ),
)
custom_hooks = _base_.distillation_hooks
