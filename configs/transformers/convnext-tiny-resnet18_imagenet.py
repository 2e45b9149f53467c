# A teacher of timm with its own weights, which timm fetches. Needs topkd[timm].
_base_ = ['../baselines/resnet18_imagenet.py', '../_base_/losses/topkd.py']

model = dict(
    _delete_=True,
    type='topkd.Distiller',
    student=_base_.model,
    teacher=dict(
        name='convnext-tiny_imagenet',
        model=dict(
            type='topkd.TimmClassifier',
            model_name='convnext_tiny.fb_in1k',
            pretrained=True,
            data_preprocessor=_base_.data_preprocessor,
        ),
        floor={'accuracy/top1': 81.0},
    ),
    losses=dict(
        kd=dict(_base_.losses.kd, teacher_tap='@logits'),
        topology=dict(_base_.losses.topology, teacher_tap='@pooled', vectorizer=dict(type='RipsImage')),
    ),
)
custom_hooks = _base_.distillation_hooks
