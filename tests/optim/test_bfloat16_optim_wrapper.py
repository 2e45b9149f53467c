"""Networks run in bfloat16, weights, gradients and losses stay in float32."""

import pytest
import torch
from mmengine.optim import OptimWrapper
from small import batch, build, classifier

from topkd.optim import Bfloat16OptimWrapper

TEACHER = dict(name='small', model=classifier(8), checkpoint=None)
LOSSES = dict(
    kd=dict(type='KDLoss'),
    topology=dict(
        type='TopologyLoss',
        cloud=dict(type='BatchCloud', num_points=8),
        vectorizer=dict(type='RipsImage', fit_batches=1),
    ),
)


def made(**model):
    torch.manual_seed(0)
    return build(dict(model, teacher=TEACHER)).train()


def single():
    return made(type='topkd.Distiller', student=classifier(4), losses=LOSSES, probe_shape=(3, 16, 16))


def wrapped(model, kind=Bfloat16OptimWrapper):
    return kind(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))


def train(model, wrapper, steps: int = 3) -> list[dict]:
    found = []
    for seed in range(steps):
        torch.manual_seed(seed)
        found.append(model.train_step(batch(seed=seed), wrapper))
    return found


def test_the_networks_run_in_bfloat16_and_the_weights_do_not():
    model, seen = single(), []
    model.student.backbone.register_forward_hook(lambda _, __, output: seen.append(output[0].dtype))
    wrapper = wrapped(model)
    logs = train(model, wrapper, 1)[0]
    with wrapper.optim_context(model):
        taught = model.teacher.features(torch.rand(2, 3, 16, 16), ['head.fc'], model.data_preprocessor)['head.fc']
    assert seen == [torch.bfloat16] and taught.dtype == torch.bfloat16
    assert {value.dtype for value in logs.values()} == {torch.float32}
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_the_losses_are_those_of_full_precision_but_for_rounding():
    found = {}
    for kind in (OptimWrapper, Bfloat16OptimWrapper):
        model = single()
        found[kind] = train(model, wrapped(model, kind))
    for full, half in zip(*found.values()):
        assert full.keys() == half.keys()
        assert half['loss'].item() != full['loss'].item()
        assert half['loss'].item() == pytest.approx(full['loss'].item(), rel=0.02)


def test_a_member_of_a_cohort_equals_its_single_run():
    model = single()
    alone = train(model, wrapped(model))
    members = {
        name: dict(student=classifier(4), losses=losses, probe_shape=(3, 16, 16))
        for name, losses in dict(plain={}, both=LOSSES).items()
    }
    cohort = made(type='topkd.Cohort', members=members)
    together = train(cohort, wrapped(cohort))
    for one, all_ in zip(alone, together):
        assert {key: float(value) for key, value in one.items()} == {
            key.removeprefix('both/'): float(value) for key, value in all_.items() if key.startswith('both/')
        }
    for ours, theirs in zip(model.student.parameters(), cohort.members['both'].student.parameters()):
        assert torch.equal(ours, theirs)
