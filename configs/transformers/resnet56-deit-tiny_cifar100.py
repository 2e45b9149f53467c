# A transformer learns from a CNN: KD and exact images of batches of 64 images.
_base_ = ['./deit-tiny_cifar100.py', '../_base_/teachers/resnet56_cifar100.py', '../_base_/losses/topkd.py']

model = dict(
    _delete_=True,
    type='topkd.Distiller',
    student=_base_.model,
    teacher=_base_.teacher,
    losses=dict(
        kd=dict(_base_.losses.kd, student_tap='@logits'),
        topology=dict(_base_.losses.topology, student_tap='@pooled', vectorizer=dict(type='RipsImage')),
    ),
)
custom_hooks = _base_.distillation_hooks
