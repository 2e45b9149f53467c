"""Detectors in a cohort: one teacher, each member scores its own RoIs; averaged weights of every member."""

import copy

import torch
from mmengine.optim import OptimWrapper
from tiny_detectors import batch, build, detector, distiller

from topkd.models import Cohort

SGD = dict(lr=0.01, momentum=0.9, weight_decay=1e-4)


def losses() -> dict:
    """Return the losses of the tiny pair: KD on the RoIs, exact images on the pyramid."""
    return copy.deepcopy(distiller()['losses'])


def members() -> dict:
    both = losses()
    return dict(plain={}, KD=dict(kd=both['kd']), exact=both)


def trained(model, steps: int = 3):
    """Take a few steps, each from its own random state as a training has it, and return the model and its logs."""
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), **SGD), clip_grad=dict(max_norm=5.0))
    logs = []
    for step in range(steps):
        torch.manual_seed(step)
        logs.append(model.train_step(batch(seed=step), wrapper))
    return model, logs


def cohort() -> Cohort:
    pair = distiller()
    config = dict(
        type='topkd.Cohort',
        teacher=pair['teacher'],
        members={name: dict(student=detector(), losses=chosen) for name, chosen in members().items()},
    )
    return build(config).train()


def test_members_equal_their_single_runs():
    together, logs = trained(cohort())
    for name, chosen in members().items():
        pair = distiller()
        pair['losses'] = chosen
        single, expected = trained(build(detector() if name == 'plain' else pair).train())
        ours = together.members[name]
        for key, value in single.state_dict().items():
            found = (ours.student if name == 'plain' else ours).state_dict()[key]
            assert torch.equal(value, found), (name, key)
        for ours_step, single_step in zip(logs, expected):
            for key, value in single_step.items():
                assert torch.equal(value, ours_step[f'{name}/{key}']), (name, key)


def test_the_teachers_backbone_runs_once_and_its_box_head_once_a_member_that_asks():
    model = cohort()
    calls = dict(backbone=0, head=0)

    def count(name):
        def hook(*args):
            calls[name] += 1

        return hook

    model.teacher.module.backbone.register_forward_hook(count('backbone'))
    model.teacher.module.roi_head.bbox_head.fc_cls.register_forward_hook(count('head'))
    trained(model, steps=1)
    assert calls == dict(backbone=1, head=2)


def test_every_member_predicts_with_its_own_weights():
    model = cohort().eval()
    data = model.data_preprocessor(batch(), False)
    for name, predictions in model(data['inputs'], data['data_samples'], mode='predict'):
        expected = model.members[name].student(
            data['inputs'], [sample.clone() for sample in data['data_samples']], mode='predict'
        )
        for ours, alone in zip(predictions, expected):
            assert torch.equal(ours.pred_instances.scores, alone.pred_instances.scores)
