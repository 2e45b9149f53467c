"""Mixed precision in a cohort: a member that overflows skips its own step only."""

import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from small import batch, build, classifier
from torch.amp import GradScaler

from topkd.hooks import CohortHook
from topkd.models.distillers.member_scalers import MemberScalers

KD = dict(kd=dict(type='KDLoss', tau=4.0, loss_weight=2.0))


def cohort(*names: str):
    torch.manual_seed(0)
    members = {name: dict(student=classifier(4), losses=KD, probe_shape=(3, 16, 16)) for name in names}
    model = build(
        dict(type='topkd.Cohort', teacher=dict(name='small', model=classifier(8), checkpoint=None), members=members)
    )
    return model.train()


def mixed(model, **arguments) -> AmpOptimWrapper:
    """Return MMEngine's wrapper, which refuses to be made without a GPU, with a scaler of the CPU."""
    wrapper = AmpOptimWrapper.__new__(AmpOptimWrapper)
    OptimWrapper.__init__(wrapper, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), **arguments)
    wrapper.loss_scaler = GradScaler('cpu', init_scale=2.0**10, growth_interval=2)
    wrapper.cast_dtype, wrapper._scale_update_param = torch.bfloat16, None
    return wrapper


def overflow_once(member) -> None:
    """Let the first gradient of a member be infinite."""
    weight, seen = member.student.head.fc.weight, []

    def hook(gradient):
        seen.append(1)
        return torch.full_like(gradient, torch.inf) if len(seen) == 1 else gradient

    weight.register_hook(hook)


def train(model, wrapper, steps: int = 3) -> None:
    for seed in range(steps):
        torch.manual_seed(seed)
        model.train_step(batch(seed=seed), wrapper)


def weights(member) -> dict:
    return {name: value.detach().clone() for name, value in member.named_parameters()}


def single():
    torch.manual_seed(0)
    teacher = dict(name='small', model=classifier(8), checkpoint=None)
    config = dict(type='topkd.Distiller', teacher=teacher, student=classifier(4), losses=KD, probe_shape=(3, 16, 16))
    return build(config).train()


@pytest.mark.parametrize('arguments', [{}, dict(clip_grad=dict(max_norm=0.5)), dict(accumulative_counts=2)])
def test_members_equal_their_single_runs_and_an_overflow_skips_the_step_of_its_member_only(arguments):
    model, alone = cohort('calm', 'hot'), dict(calm=single(), hot=single())
    start = weights(model.members['hot'])
    for hot in (model.members['hot'], alone['hot']):
        overflow_once(hot)
    wrapper, wrappers = mixed(model, **arguments), {name: mixed(one, **arguments) for name, one in alone.items()}
    update = arguments.get('accumulative_counts', 1)
    for other in (wrapper, *wrappers.values()):
        other.initialize_count_status(model, 0, 10 * update)
    train(model, wrapper, update)
    scales = {name: scaler.get_scale() for name, scaler in wrapper.loss_scaler.scalers.items()}
    assert scales == dict(calm=2.0**10, hot=2.0**9)
    assert all(torch.equal(value, start[name]) for name, value in weights(model.members['hot']).items())
    train(model, wrapper, 2 * update)
    assert any(not torch.equal(value, start[name]) for name, value in weights(model.members['hot']).items())
    for name, one in alone.items():
        train(one, wrappers[name], update)
        train(one, wrappers[name], 2 * update)
        ours = model.members[name].state_dict()
        assert all(torch.equal(value, ours[key]) for key, value in one.state_dict().items()), name
        assert wrapper.loss_scaler.scalers[name].state_dict() == wrappers[name].loss_scaler.state_dict()


def test_the_teacher_runs_in_mixed_precision_as_in_a_single_run():
    model, seen = cohort('a'), []
    model.teacher.module.head.fc.register_forward_hook(lambda module, args, output: seen.append(output.dtype))
    train(model, mixed(model), 1)
    assert seen == [torch.bfloat16]


def test_a_stopped_member_has_no_part_in_it():
    model = cohort('a', 'broken')
    with torch.no_grad():
        model.members['broken'].student.head.fc.weight.fill_(float('nan'))
    wrapper = mixed(model)
    train(model, wrapper)
    assert model.active == ['a'] and wrapper.loss_scaler.scalers['a'].get_scale() == 2.0**11
    assert wrapper.loss_scaler.scalers['broken'].get_scale() == 2.0**10


def test_scales_are_saved_and_resumed_by_member():
    model = cohort('calm', 'hot')
    overflow_once(model.members['hot'])
    wrapper = mixed(model)
    train(model, wrapper, 1)
    state = copy.deepcopy(wrapper.state_dict())
    resumed = mixed(cohort('calm', 'hot'))
    MemberScalers.install(resumed, model.members)
    resumed.load_state_dict(state)
    assert resumed.loss_scaler.state_dict() == wrapper.loss_scaler.state_dict()
    other = cohort('calm', 'cold')
    refusing = mixed(other)
    MemberScalers.install(refusing, other.members)
    with pytest.raises(ValueError, match='scalers of calm, hot, this cohort has the members calm, cold: resume with'):
        refusing.load_state_dict(copy.deepcopy(wrapper.state_dict()))


def test_the_hook_puts_scalers_in_place_before_a_checkpoint_is_loaded():
    model = cohort('a', 'b')
    runner = SimpleNamespace(model=model, optim_wrapper=mixed(model), val_loop=None, test_loop=None, hooks=[])
    CohortHook().before_run(runner)
    assert set(runner.optim_wrapper.loss_scaler.scalers) == {'a', 'b'}


def test_full_precision_has_no_scalers():
    model = cohort('a')
    assert MemberScalers.install(OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)), model.members) is None
